// What java.util.Properties makes of a file: each line of input is a file in base64; the answer is "error", or its
// entries as KEY=VALUE in base64 of UTF-16BE (which keeps unpaired surrogates), with a blank after each.
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.util.Base64;
import java.util.Properties;

public final class JavaProperties {
    public static void main(String[] args) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = input.readLine()) != null; ) {
            System.out.println(parse(Base64.getDecoder().decode(line)));
            System.out.flush();
        }
    }

    private static String parse(byte[] file) throws Exception {
        Properties properties = new Properties();
        try {
            properties.load(new ByteArrayInputStream(file));
        } catch (IllegalArgumentException e) {
            return "error";
        }
        StringBuilder answer = new StringBuilder();
        properties.forEach((key, value) -> answer.append(encode(key)).append('=').append(encode(value)).append(' '));
        return answer.toString();
    }

    private static String encode(Object text) {
        String characters = (String) text;
        byte[] bytes = new byte[characters.length() * 2];
        for (int i = 0; i < characters.length(); i++) {
            bytes[2 * i] = (byte) (characters.charAt(i) >> 8);
            bytes[2 * i + 1] = (byte) characters.charAt(i);
        }
        return Base64.getUrlEncoder().encodeToString(bytes).replace('=', '~');
    }
}
