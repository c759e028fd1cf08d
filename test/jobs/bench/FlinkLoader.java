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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * Loads a {@code _metadata} with Flink's own reader: {@code FlinkLoader FILE [LOADS WARM_UP_MS]}. Without a number of loads once, from a
 * buffered file, and says how many operators there are; else from memory, the fastest way in, and prints as JSON {@code ms} (median after the
 * warm-up), {@code peakBytes} (most heap in use during a load, the file's bytes left out) and {@code keptBytes} (heap that the result holds).
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
        long warm = System.nanoTime() + Long.parseLong(args[2]) * 1_000_000;
        do {
            load(new ByteArrayInputStream(bytes), file);
        } while (System.nanoTime() < warm);
        double[] times = new double[loads];
        for (int i = 0; i < loads; i++) {
            long start = System.nanoTime();
            load(new ByteArrayInputStream(bytes), file);
            times[i] = (System.nanoTime() - start) / 1e6;
        }
        Arrays.sort(times);
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
                times[loads / 2], peak - before, after - before, kept.getOperatorStates().size());
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
