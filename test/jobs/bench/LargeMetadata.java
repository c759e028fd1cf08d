package bench;

import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.checkpoint.CheckpointProperties;
import org.apache.flink.runtime.checkpoint.CheckpointRetentionPolicy;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.StateObjectCollection;
import org.apache.flink.runtime.checkpoint.channel.InputChannelInfo;
import org.apache.flink.runtime.checkpoint.channel.ResultSubpartitionInfo;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.checkpoint.metadata.MetadataV6Serializer;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.state.IncrementalKeyedStateHandle.HandleAndLocalPath;
import org.apache.flink.runtime.state.IncrementalRemoteKeyedStateHandle;
import org.apache.flink.runtime.state.InputChannelStateHandle;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.KeyGroupRangeOffsets;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.MergedInputChannelStateHandle;
import org.apache.flink.runtime.state.MergedResultSubpartitionStateHandle;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.OperatorStreamStateHandle;
import org.apache.flink.runtime.state.ResultSubpartitionStateHandle;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.filesystem.FileStateHandle;
import org.apache.flink.runtime.state.filesystem.RelativeFileStateHandle;
import org.apache.flink.runtime.state.memory.ByteStreamStateHandle;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;

/**
 * Writes a {@code _metadata} of about a size with Flink's own serializer; the same arguments give the same bytes:
 * {@code LargeMetadata FILE handles|inline BYTES PARALLELISM}.
 *
 * <p>{@code handles} is an incremental RocksDB checkpoint of a wide job, most of whose bytes are paths of shared files; {@code inline} a heap
 * snapshot whose state lies in the metadata, 10 to 20 kB a subtask. Operators are made while they are written, so memory sets no limit.
 */
public final class LargeMetadata {
    private static final String BASE = "s3://prod-flink-state/checkpoints/5a1f0c3e9b7d42e8a6c4d2f0b8e61375";
    private static final String[] KINDS = {"Source: orders", "map", "keyed process", "window aggregate", "interval join", "rank", "lookup", "sink"};
    private static final int SOURCE = 0;
    private static final int STATELESS = 1;
    private static final int WINDOW = 3;
    private static final int JOIN = 4;
    private static final int SINK = 7;
    private static final int MAX_PARALLELISM = 1024;
    private static final int CHECKPOINT = 4711;

    private final boolean inline;
    private final int parallelism;

    private LargeMetadata(boolean inline, int parallelism) {
        this.inline = inline;
        this.parallelism = parallelism;
    }

    public static void main(String[] args) throws Exception {
        LargeMetadata metadata = new LargeMetadata(args[1].equals("inline"), Integer.parseInt(args[3]));
        // One operator of each kind tells how many make the size.
        Count count = new Count();
        metadata.write(KINDS.length, count);
        int operators = (int) Math.max(1, Math.round(Double.parseDouble(args[2]) * KINDS.length / count.bytes));
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(java.nio.file.Path.of(args[0])), 1 << 20)) {
            metadata.write(operators, out);
        }
    }

    private void write(int operators, OutputStream out) throws Exception {
        List<OperatorState> states = new AbstractList<>() {
            @Override
            public OperatorState get(int row) {
                return operator(row);
            }

            @Override
            public int size() {
                return operators;
            }
        };
        CheckpointProperties properties = inline
                ? CheckpointProperties.forSavepoint(false, SavepointFormatType.NATIVE)
                : CheckpointProperties.forCheckpoint(CheckpointRetentionPolicy.RETAIN_ON_CANCELLATION);
        DataOutputStream data = new DataOutputStream(out);
        Checkpoints.storeCheckpointMetadata(new CheckpointMetadata(CHECKPOINT, states, List.of(), properties), data, MetadataV6Serializer.INSTANCE);
        data.flush();
    }

    private OperatorState operator(int row) {
        SplittableRandom random = new SplittableRandom(1_000_003L + row);
        int kind = row % KINDS.length;
        String uid = KINDS[kind].replace(' ', '-') + "-" + row;
        OperatorState operator = new OperatorState(KINDS[kind] + " " + row, uid, new OperatorID(random.nextLong(), random.nextLong()), parallelism, MAX_PARALLELISM);
        if (kind == SOURCE || kind == SINK) {
            operator.setCoordinatorState(new ByteStreamStateHandle(uid + "-coordinator", content(random, 2000 + random.nextInt(2000))));
        }
        for (int subtask = 0; subtask < parallelism; subtask++) {
            OperatorSubtaskState.Builder state = OperatorSubtaskState.builder();
            if (kind == SOURCE || kind == SINK) {
                state.setManagedOperatorState(operatorState(kind, inline ? inside(random, 4000) : beside(random)));
            } else if (kind == WINDOW || (inline && kind != STATELESS)) {
                state.setManagedKeyedState(keyGroups(subtask, inline ? inside(random, 20_000) : beside(random)));
                if (kind == WINDOW) {
                    state.setManagedOperatorState(operatorState(kind, inline ? inside(random, 1000) : beside(random)));
                }
            } else if (kind != STATELESS) {
                state.setManagedKeyedState(incremental(random, subtask));
                if (kind == JOIN && subtask % 4 == 0) {
                    addChannels(state, subtask, beside(random));
                }
            }
            operator.putState(subtask, state.build());
        }
        return operator;
    }

    /** 30 to 90 files in a database. */
    private IncrementalRemoteKeyedStateHandle incremental(SplittableRandom random, int subtask) {
        List<HandleAndLocalPath> shared = new ArrayList<>();
        int files = 30 + random.nextInt(61);
        for (int i = 0; i < files; i++) {
            shared.add(HandleAndLocalPath.of(new FileStateHandle(new Path(BASE + "/shared/" + uuid(random)), 1L << 20 | random.nextInt(1 << 26)), String.format("%06d.sst", 100 + 7 * i)));
        }
        List<HandleAndLocalPath> own = List.of(
                HandleAndLocalPath.of(new ByteStreamStateHandle(uuid(random), content(random, 16)), "CURRENT"),
                HandleAndLocalPath.of(beside(random), String.format("MANIFEST-%06d", random.nextInt(100_000))),
                HandleAndLocalPath.of(beside(random), String.format("OPTIONS-%06d", random.nextInt(100_000))));
        StreamStateHandle meta = new ByteStreamStateHandle(uuid(random), content(random, 600));
        return new IncrementalRemoteKeyedStateHandle(new UUID(random.nextLong(), random.nextLong()), range(subtask), CHECKPOINT, shared, own, meta, 1_000_000L + random.nextInt(1 << 28));
    }

    private static void addChannels(OperatorSubtaskState.Builder state, int subtask, StreamStateHandle file) {
        List<InputChannelStateHandle> inputs = new ArrayList<>();
        List<ResultSubpartitionStateHandle> outputs = new ArrayList<>();
        for (int channel = 0; channel < 16; channel++) {
            List<Long> offsets = List.of(1000L * channel, 1000L * channel + 400);
            inputs.add(new InputChannelStateHandle(subtask, new InputChannelInfo(0, channel), file, offsets, 800));
            outputs.add(new ResultSubpartitionStateHandle(subtask, new ResultSubpartitionInfo(0, channel), file, offsets, 800));
        }
        state.setInputChannelState(StateObjectCollection.singleton(MergedInputChannelStateHandle.fromChannelHandles(inputs)));
        state.setResultSubpartitionState(StateObjectCollection.singleton(MergedResultSubpartitionStateHandle.fromChannelHandles(outputs)));
    }

    private static OperatorStateHandle operatorState(int kind, StreamStateHandle data) {
        long[] offsets = new long[kind == SOURCE ? 32 : 4];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = 200 + 40L * i;
        }
        Map<String, OperatorStateHandle.StateMetaInfo> states = new LinkedHashMap<>();
        states.put(kind == SOURCE ? "SourceReaderState" : "writer_raw_states", new OperatorStateHandle.StateMetaInfo(offsets, OperatorStateHandle.Mode.SPLIT_DISTRIBUTE));
        states.put("rules", new OperatorStateHandle.StateMetaInfo(new long[] {4000}, OperatorStateHandle.Mode.BROADCAST));
        return new OperatorStreamStateHandle(states, data);
    }

    private KeyGroupsStateHandle keyGroups(int subtask, StreamStateHandle data) {
        KeyGroupRange range = range(subtask);
        long[] offsets = new long[range.getNumberOfKeyGroups()];
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = 500 + 100L * i;
        }
        return new KeyGroupsStateHandle(new KeyGroupRangeOffsets(range, offsets), data);
    }

    private KeyGroupRange range(int subtask) {
        return KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(MAX_PARALLELISM, parallelism, subtask);
    }

    private static StreamStateHandle beside(SplittableRandom random) {
        String name = uuid(random);
        return new RelativeFileStateHandle(new Path(BASE + "/chk-" + CHECKPOINT + "/" + name), name, 1000 + random.nextInt(1 << 20));
    }

    private static StreamStateHandle inside(SplittableRandom random, int most) {
        return new ByteStreamStateHandle(BASE + "/chk-" + CHECKPOINT + "/" + uuid(random), content(random, most / 2 + random.nextInt(most / 2)));
    }

    private static byte[] content(SplittableRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static String uuid(SplittableRandom random) {
        return new UUID(random.nextLong(), random.nextLong()).toString();
    }

    /** Counts what would be written. */
    private static final class Count extends OutputStream {
        long bytes;

        @Override
        public void write(int b) {
            bytes++;
        }

        @Override
        public void write(byte[] b, int from, int length) {
            bytes += length;
        }
    }
}
