// Prints KCL's MultiLangDaemon properties, one a line: "setter NAME TYPE" and, for those with properties of their own,
// "bean NAME".
import java.lang.reflect.Method;

public final class KclSetters {
    public static void main(String[] args) throws Exception {
        Class<?> configuration = Class.forName("software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration");
        for (Method method : configuration.getMethods()) {
            String name = method.getName();
            if (name.startsWith("set") && method.getParameterCount() == 1) {
                System.out.println("setter " + property(name) + " " + method.getParameterTypes()[0].getSimpleName());
            } else if (name.startsWith("get") && method.getReturnType().getSimpleName().endsWith("Bean")) {
                System.out.println("bean " + property(name));
            }
        }
    }

    private static String property(String method) {
        return Character.toLowerCase(method.charAt(3)) + method.substring(4);
    }
}
