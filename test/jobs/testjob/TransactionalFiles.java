package testjob;

import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Exactly-once files, a small two-phase commit. The lines between two barriers are a transaction with a random name, which is part of the
 * checkpoint; once the checkpoint is confirmed it becomes the file of that name. To commit twice (a stop commits, and so does the job that
 * is restored from its savepoint) writes the same file again. In a correct run the lines {@code key count} of all files hold, for each key,
 * 1 to n without gaps or repetitions.
 */
final class TransactionalFiles extends ProcessFunction<Tuple2<Long, Long>, Void> implements CheckpointedFunction, CheckpointListener {
    private final String folder;
    private final Controls controls;
    /** By checkpoint id: name, line break, lines. */
    private final TreeMap<Long, String> pending = new TreeMap<>();
    private StringBuilder current = new StringBuilder();
    private transient ListState<String> state;

    TransactionalFiles(String folder, Controls controls) {
        this.folder = folder;
        this.controls = controls;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        state = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("pending", Types.STRING));
        // Part of a completed checkpoint, so theirs to be committed.
        for (String transaction : state.get()) {
            commit(transaction);
        }
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        pending.put(context.getCheckpointId(), UUID.randomUUID() + "\n" + current);
        current = new StringBuilder();
        state.clear();
        for (String transaction : pending.values()) {
            state.add(transaction);
        }
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        if (controls.on("fail-commit")) {
            throw new IllegalStateException("fail-commit requested");
        }
        Map<Long, String> confirmed = pending.headMap(checkpointId, true);
        for (String transaction : confirmed.values()) {
            commit(transaction);
        }
        confirmed.clear();
    }

    @Override
    public void processElement(Tuple2<Long, Long> value, Context context, Collector<Void> out) {
        current.append(value.f0).append(' ').append(value.f1).append('\n');
    }

    private void commit(String transaction) throws IOException {
        if (folder.isEmpty()) {
            return;
        }
        int end = transaction.indexOf('\n');
        Path target = Paths.get(folder, transaction.substring(0, end));
        Path written = Paths.get(folder, UUID.randomUUID() + ".tmp");
        Files.createDirectories(target.getParent());
        Files.write(written, transaction.substring(end + 1).getBytes(StandardCharsets.UTF_8));
        Files.move(written, target, StandardCopyOption.ATOMIC_MOVE);
    }
}
