package peer;

import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.checkpoint.channel.InputChannelInfo;
import org.apache.flink.runtime.checkpoint.channel.ResultSubpartitionInfo;
import org.apache.flink.runtime.state.AbstractChannelStateHandle;
import org.apache.flink.runtime.state.IncrementalKeyedStateHandle.HandleAndLocalPath;
import org.apache.flink.runtime.state.IncrementalRemoteKeyedStateHandle;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupsSavepointStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.changelog.ChangelogStateBackendHandle.ChangelogStateBackendHandleImpl;
import org.apache.flink.runtime.state.changelog.ChangelogStateHandleStreamImpl;
import org.apache.flink.runtime.state.changelog.inmemory.InMemoryChangelogStateHandle;
import org.apache.flink.runtime.state.filesystem.FileStateHandle;
import org.apache.flink.runtime.state.filesystem.RelativeFileStateHandle;
import org.apache.flink.runtime.state.memory.ByteStreamStateHandle;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Handles as maps, 64-bit numbers as texts, long lists and contents as their SHA-256. */
final class Handles {
    private Handles() {}

    static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }

    static Object stream(StreamStateHandle handle) throws Exception {
        if (handle == null) {
            return null;
        }
        String size = Long.toString(handle.getStateSize());
        if (handle instanceof ByteStreamStateHandle) {
            ByteStreamStateHandle bytes = (ByteStreamStateHandle) handle;
            return map("type", "bytes", "name", bytes.getHandleName(), "size", size, "sha256", sha256(bytes.getData()));
        }
        if (handle instanceof RelativeFileStateHandle) {
            return map("type", "relativeFile", "path", ((RelativeFileStateHandle) handle).getRelativePath(), "size", size);
        }
        if (handle instanceof FileStateHandle) {
            return map("type", "file", "path", ((FileStateHandle) handle).getFilePath().toString(), "size", size);
        }
        if (Reflection.is(handle, "EmptySegmentFileStateHandle")) {
            return map("type", "emptySegment");
        }
        if (Reflection.is(handle, "SegmentFileStateHandle")) {
            return map("type", "segment", "path", Reflection.call(handle, "getFilePath").toString(), "start", Reflection.call(handle, "getStartPos").toString(), "size", size,
                    "scope", Reflection.call(handle, "getScope").toString(), "logicalFileId", Reflection.call(Reflection.call(handle, "getLogicalFileId"), "getKeyString"));
        }
        throw new IllegalArgumentException(handle.getClass().getName());
    }

    static Object operator(OperatorStateHandle handle) throws Exception {
        List<Object> states = new ArrayList<>();
        for (Map.Entry<String, OperatorStateHandle.StateMetaInfo> state : new TreeMap<>(handle.getStateNameToPartitionOffsets()).entrySet()) {
            long[] offsets = state.getValue().getOffsets();
            states.add(map("name", state.getKey(), "mode", state.getValue().getDistributionMode().name(), "offsets", offsets.length, "sha256", sha256(offsets)));
        }
        Object directories = null;
        if (Reflection.is(handle, "FileMergingOperatorStreamStateHandle")) {
            directories = map("taskOwned", Reflection.call(Reflection.call(handle, "getTaskOwnedDirHandle"), "getDirectory").toString(),
                    "shared", Reflection.call(Reflection.call(handle, "getSharedDirHandle"), "getDirectory").toString());
        }
        return map("states", states, "directories", directories, "delegate", stream(handle.getDelegateStateHandle()), "size", Long.toString(handle.getStateSize()));
    }

    static Object keyed(KeyedStateHandle handle) throws Exception {
        KeyGroupRange range = handle.getKeyGroupRange();
        List<Object> keyGroups = List.of(range.getStartKeyGroup(), range.getNumberOfKeyGroups());
        String size = Long.toString(handle.getStateSize());
        String id = handle.getStateHandleId().getKeyString();
        if (handle instanceof KeyGroupsStateHandle) {
            KeyGroupsStateHandle groups = (KeyGroupsStateHandle) handle;
            List<Long> offsets = new ArrayList<>();
            groups.getGroupRangeOffsets().forEach(pair -> offsets.add(pair.f1));
            return map("type", "keyGroups", "savepoint", handle instanceof KeyGroupsSavepointStateHandle, "keyGroups", keyGroups,
                    "sha256", sha256(offsets), "delegate", stream(groups.getDelegateStateHandle()), "stateHandleId", id, "size", size);
        }
        String checkpointed = Long.toString(handle.getCheckpointedSize());
        if (handle instanceof IncrementalRemoteKeyedStateHandle) {
            IncrementalRemoteKeyedStateHandle files = (IncrementalRemoteKeyedStateHandle) handle;
            return map("type", "incremental", "keyGroups", keyGroups, "checkpointId", Long.toString(files.getCheckpointId()), "backendId", files.getBackendIdentifier().toString(),
                    "meta", stream(files.getMetaDataStateHandle()), "shared", named(files.getSharedState()), "private", named(files.getPrivateState()),
                    "stateHandleId", id, "size", size, "checkpointedSize", checkpointed);
        }
        if (handle instanceof ChangelogStateBackendHandleImpl) {
            ChangelogStateBackendHandleImpl changelog = (ChangelogStateBackendHandleImpl) handle;
            return map("type", "changelog", "keyGroups", keyGroups, "materialized", all(changelog.getMaterializedStateHandles()), "nonMaterialized", all(changelog.getNonMaterializedStateHandles()),
                    "materializationId", Long.toString(changelog.getMaterializationID()), "checkpointId", Long.toString(changelog.getCheckpointId()),
                    "stateHandleId", id, "size", size, "checkpointedSize", checkpointed);
        }
        if (handle instanceof InMemoryChangelogStateHandle) {
            InMemoryChangelogStateHandle changes = (InMemoryChangelogStateHandle) handle;
            List<Object> list = new ArrayList<>();
            for (org.apache.flink.runtime.state.changelog.StateChange change : changes.getChanges()) {
                list.add(List.of(change.getKeyGroup(), sha256(change.getChange())));
            }
            return map("type", "changelogBytes", "keyGroups", keyGroups, "from", Long.toString(changes.getFrom()), "to", Long.toString(changes.getTo()), "changes", list, "stateHandleId", id, "size", size);
        }
        if (handle instanceof ChangelogStateHandleStreamImpl) {
            ChangelogStateHandleStreamImpl files = (ChangelogStateHandleStreamImpl) handle;
            List<Object> parts = new ArrayList<>();
            for (Tuple2<StreamStateHandle, Long> part : files.getHandlesAndOffsets()) {
                parts.add(map("offset", part.f1.toString(), "handle", stream(part.f0)));
            }
            return map("type", "changelogFiles", "keyGroups", keyGroups, "parts", parts, "storage", files.getStorageIdentifier(), "stateHandleId", id, "size", size, "checkpointedSize", checkpointed);
        }
        throw new IllegalArgumentException(handle.getClass().getName());
    }

    private static List<Object> all(Iterable<? extends KeyedStateHandle> handles) throws Exception {
        List<Object> list = new ArrayList<>();
        for (KeyedStateHandle handle : handles) {
            list.add(keyed(handle));
        }
        return list;
    }

    private static List<Object> named(List<HandleAndLocalPath> files) throws Exception {
        List<Object> list = new ArrayList<>();
        for (HandleAndLocalPath file : files) {
            list.add(map("name", file.getLocalPath(), "handle", stream(file.getHandle())));
        }
        return list;
    }

    static Object channel(Object handle) throws Exception {
        if (handle instanceof AbstractChannelStateHandle) {
            AbstractChannelStateHandle<?> one = (AbstractChannelStateHandle<?>) handle;
            Map<String, Object> facts = channelOf(one);
            facts.put("delegate", stream(one.getDelegate()));
            return facts;
        }
        List<Map<String, Object>> channels = new ArrayList<>();
        for (Object one : (Iterable<?>) Reflection.call(handle, "getUnmergedHandles")) {
            channels.add(channelOf((AbstractChannelStateHandle<?>) one));
        }
        channels.sort(Comparator.comparing((Map<String, Object> one) -> (int) one.get("gate")).thenComparing(one -> (int) one.get("channel")));
        return map("type", "merged", "subtask", Reflection.call(handle, "getSubtaskIndex"), "size", Reflection.call(handle, "getStateSize").toString(), "channels", channels,
                "delegate", stream((StreamStateHandle) Reflection.call(handle, "getDelegate")));
    }

    private static Map<String, Object> channelOf(AbstractChannelStateHandle<?> handle) throws Exception {
        Object info = handle.getInfo();
        boolean input = info instanceof InputChannelInfo;
        int gate = input ? ((InputChannelInfo) info).getGateIdx() : ((ResultSubpartitionInfo) info).getPartitionIdx();
        int channel = input ? ((InputChannelInfo) info).getInputChannelIdx() : ((ResultSubpartitionInfo) info).getSubPartitionIdx();
        return map("type", "channel", "subtask", handle.getSubtaskIndex(), "gate", gate, "channel", channel,
                "offsets", handle.getOffsets().size(), "sha256", sha256(handle.getOffsets()), "size", Long.toString(handle.getStateSize()));
    }

    static String sha256(byte[] bytes) throws Exception {
        StringBuilder hex = new StringBuilder();
        for (byte b : MessageDigest.getInstance("SHA-256").digest(bytes)) {
            hex.append(String.format("%02x", b));
        }
        return hex.toString();
    }

    private static String sha256(long[] numbers) throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(numbers.length * 8);
        for (long number : numbers) {
            bytes.putLong(number);
        }
        return sha256(bytes.array());
    }

    private static String sha256(List<Long> numbers) throws Exception {
        return sha256(numbers.stream().mapToLong(Long::longValue).toArray());
    }
}
