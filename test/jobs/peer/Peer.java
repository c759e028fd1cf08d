package peer;

import org.apache.flink.runtime.checkpoint.CheckpointProperties;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.MasterState;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.SavepointType;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.OperatorStateHandle;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Prints what Flink itself reads in snapshots, one line of JSON each: {@code Peer FOLDER...}. A folder that Flink refuses gets
 * {@code {"refused": "…"}}. Users' classes must be on the class path, as they must for Flink.
 */
public final class Peer {
    private Peer() {}

    public static void main(String[] folders) throws Exception {
        for (String folder : folders) {
            System.out.println(Json.of(read(Path.of(folder))));
        }
    }

    private static Map<String, Object> read(Path folder) throws Exception {
        byte[] bytes = Files.readAllBytes(folder.resolve("_metadata"));
        CheckpointMetadata metadata;
        try {
            metadata = Checkpoints.loadCheckpointMetadata(new DataInputStream(new ByteArrayInputStream(bytes)), Peer.class.getClassLoader(), folder.toUri().toString());
        } catch (Exception e) {
            return Handles.map("refused", e.toString());
        }
        States.folder = folder;
        List<Object> masters = new ArrayList<>();
        for (MasterState state : metadata.getMasterStates()) {
            masters.add(Handles.map("name", state.name(), "version", state.version(), "size", state.bytes().length, "sha256", Handles.sha256(state.bytes())));
        }
        List<Object> operators = new ArrayList<>();
        for (OperatorState operator : metadata.getOperatorStates()) {
            operators.add(operator(operator));
        }
        return Handles.map("checkpointId", Long.toString(metadata.getCheckpointId()), "properties", properties(metadata.getCheckpointProperties()), "masterStates", masters, "operators", operators);
    }

    private static Object properties(CheckpointProperties properties) throws Exception {
        if (properties == null) {
            return null;
        }
        Map<String, Object> facts = Handles.map("name", properties.getCheckpointType().getName(), "savepoint", properties.isSavepoint());
        for (String flag : List.of("forced", "discardSubsumed", "discardFinished", "discardCancelled", "discardFailed", "discardSuspended", "unclaimed")) {
            facts.put(flag, Reflection.field(properties, flag));
        }
        if (properties.isSavepoint()) {
            SavepointType type = (SavepointType) properties.getCheckpointType();
            facts.put("format", type.getFormatType().name());
            facts.put("action", type.getPostCheckpointAction().name());
        } else {
            facts.put("sharing", properties.getCheckpointType().getSharingFilesStrategy().name());
        }
        return facts;
    }

    private static Object operator(OperatorState operator) throws Exception {
        List<Object> subtasks = new ArrayList<>();
        for (Map.Entry<Integer, OperatorSubtaskState> subtask : new TreeMap<>(operator.getSubtaskStates()).entrySet()) {
            subtasks.add(subtask(subtask.getKey(), subtask.getValue()));
        }
        return Handles.map("id", operator.getOperatorID().toString(), "name", text(Reflection.call(operator, "getOperatorName")), "uid", text(Reflection.call(operator, "getOperatorUid")),
                "parallelism", operator.getParallelism(), "maxParallelism", operator.getMaxParallelism(), "fullyFinished", operator.isFullyFinished(),
                "coordinator", Handles.stream(operator.getCoordinatorState()), "size", Long.toString(operator.getStateSize()), "subtasks", subtasks);
    }

    private static Object text(Object value) {
        return value instanceof Optional ? ((Optional<?>) value).filter(text -> !text.equals("")).orElse(null) : null;
    }

    private static Object subtask(int index, OperatorSubtaskState subtask) throws Exception {
        if (subtask.isFinished()) {
            return Handles.map("index", index, "finished", true);
        }
        List<Object> states = new ArrayList<>();
        List<Object> managedKeyed = new ArrayList<>();
        for (KeyedStateHandle handle : subtask.getManagedKeyedState()) {
            managedKeyed.add(Handles.keyed(handle));
            States.addKeyed(states, handle);
        }
        List<Object> managedOperator = new ArrayList<>();
        for (OperatorStateHandle handle : subtask.getManagedOperatorState()) {
            managedOperator.add(Handles.operator(handle));
            if (!Reflection.is(handle.getDelegateStateHandle(), "EmptySegmentFileStateHandle")) {
                states.add(States.operatorHeader(handle));
            }
        }
        List<Object> rawKeyed = new ArrayList<>();
        for (KeyedStateHandle handle : subtask.getRawKeyedState()) {
            rawKeyed.add(Handles.keyed(handle));
        }
        List<Object> rawOperator = new ArrayList<>();
        for (OperatorStateHandle handle : subtask.getRawOperatorState()) {
            rawOperator.add(Handles.operator(handle));
        }
        return Handles.map("index", index, "finished", false, "size", Long.toString(subtask.getStateSize()), "managedOperator", managedOperator, "rawOperator", rawOperator,
                "managedKeyed", managedKeyed, "rawKeyed", rawKeyed, "input", channels(subtask.getInputChannelState()), "output", channels(subtask.getResultSubpartitionState()), "states", states);
    }

    private static List<Object> channels(Iterable<?> handles) throws Exception {
        List<Object> list = new ArrayList<>();
        for (Object handle : handles) {
            list.add(Handles.channel(handle));
        }
        return list;
    }
}
