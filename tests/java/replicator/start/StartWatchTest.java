package replicator.start;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;
import replicator.log.Said;
import replicator.process.TaskThreads;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;

/** Whose failures are said, where several tasks of one process wait for their start. */
class StartWatchTest {
    @RegisterExtension
    final Said heard = new Said();
    private final Map<TaskThreads, StartWatch> watches = new HashMap<>();

    @AfterEach
    void stopWatching() {
        watches.values().forEach(StartWatch::end);
    }

    private static void in(ThreadGroup task, Runnable work) throws InterruptedException {
        Thread thread = new Thread(task, work);
        thread.start();
        thread.join();
    }

    private TaskThreads waiting(String name) throws InterruptedException {
        TaskThreads task = new TaskThreads(name, Path.of(name));
        task.setDaemon(false); // or it would be over with its first thread
        in(task, () -> {
            StartWatch watch = new StartWatch();
            watch.watch(new CoordinatorConfig(name));
            watches.put(task, watch);
        });
        return task;
    }

    /** As KCL tells of a try that failed. */
    private static void fail(ThreadGroup task) throws InterruptedException {
        in(task, () -> LoggerFactory.getLogger(Scheduler.class).error("failed", SdkClientException.create("away")));
    }

    private List<String> said() {
        return heard.names();
    }

    @Test
    void anotherTasksFailureIsNotSaidAgain() throws InterruptedException {
        TaskThreads one = waiting("one");
        waiting("another");
        fail(one);
        assertEquals(List.of("start_delayed"), said());
    }

    @Test
    void nothingIsSaidOfATaskThatHasEnded() throws InterruptedException {
        TaskThreads one = waiting("one");
        watches.get(one).end();
        fail(one);
        assertEquals(List.of(), said());
    }
}
