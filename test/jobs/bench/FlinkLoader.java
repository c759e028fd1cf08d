package bench;

import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads a {@code _metadata} with Flink's own reader: {@code FlinkLoader FILE [LOADS WARM_UP_MS]}. Without a number of loads once, from a
 * buffered file, and says how many operators there are; else from memory, the fastest way in, and prints as JSON {@code ms} (processor
 * time of the loading thread, the least after the warm-up, which is measured in the same way: waiting for other work on the machine does not count,
 * nor does the garbage collector), {@code peakBytes} (most heap in use during a load, the file's bytes left out) and {@code keptBytes} (heap that the result holds).
 */
public final class FlinkLoader {
    private static CheckpointMetadata kept;

    private FlinkLoader() {}

    public static void main(String[] args) throws Exception {
        Path file = Path.of(args[0]);
        if (args.length == 1) {
            try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
                System.out.println(load(in, file).getOperatorStates().size() + " operators");
            }
            return;
        }
        byte[] bytes = Files.readAllBytes(file);
        int loads = Integer.parseInt(args[1]);
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long warm = threads.getCurrentThreadCpuTime() + Long.parseLong(args[2]) * 1_000_000;
        do {
            load(new ByteArrayInputStream(bytes), file);
        } while (threads.getCurrentThreadCpuTime() < warm);
        long least = Long.MAX_VALUE;
        for (int i = 0; i < loads; i++) {
            long start = threads.getCurrentThreadCpuTime();
            load(new ByteArrayInputStream(bytes), file);
            least = Math.min(least, threads.getCurrentThreadCpuTime() - start);
        }
        long before = settled();
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            pool.resetPeakUsage();
        }
        kept = load(new ByteArrayInputStream(bytes), file);
        long peak = 0;
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            peak += pool.getType() == MemoryType.HEAP ? pool.getPeakUsage().getUsed() : 0;
        }
        long after = settled();
        System.out.printf(Locale.ROOT, "{\"ms\": %.3f, \"peakBytes\": %d, \"keptBytes\": %d, \"operators\": %d}%n",
                least / 1e6, peak - before, after - before, kept.getOperatorStates().size());
    }

    private static CheckpointMetadata load(InputStream in, Path file) throws Exception {
        return Checkpoints.loadCheckpointMetadata(new DataInputStream(in), FlinkLoader.class.getClassLoader(), file.toAbsolutePath().getParent().toUri().toString());
    }

    private static long settled() throws Exception {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50);
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
