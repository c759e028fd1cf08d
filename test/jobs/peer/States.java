package peer;

import org.apache.flink.api.common.typeutils.CompositeTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.runtime.state.IncrementalRemoteKeyedStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.KeyedBackendSerializationProxy;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.OperatorBackendSerializationProxy;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.changelog.ChangelogStateBackendHandle.ChangelogStateBackendHandleImpl;
import org.apache.flink.runtime.state.changelog.ChangelogStateHandleStreamImpl;
import org.apache.flink.runtime.state.changelog.StateChange;
import org.apache.flink.runtime.state.changelog.inmemory.InMemoryChangelogStateHandle;
import org.apache.flink.runtime.state.filemerging.SegmentFileStateHandle;
import org.apache.flink.runtime.state.filesystem.FileStateHandle;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshotReadersWriters;
import org.apache.flink.util.CloseableIterator;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What Flink's own classes read in the headers of state files and in changes. */
final class States {
    /** Of the snapshot; files that are no longer where they were written are looked for in it. */
    static Path folder;

    private States() {}

    private static StreamStateHandle found(StreamStateHandle stream) {
        if (stream.getClass().equals(FileStateHandle.class)) {
            return new FileStateHandle(found(((FileStateHandle) stream).getFilePath()), stream.getStateSize());
        }
        if (stream.getClass().equals(SegmentFileStateHandle.class)) {
            SegmentFileStateHandle part = (SegmentFileStateHandle) stream;
            return new SegmentFileStateHandle(found(part.getFilePath()), part.getStartPos(), part.getStateSize(), part.getScope(), part.getLogicalFileId());
        }
        return stream;
    }

    private static org.apache.flink.core.fs.Path found(org.apache.flink.core.fs.Path written) {
        Path beside = folder.resolve(written.getName());
        return !Files.exists(Path.of(written.getPath())) && Files.exists(beside) ? org.apache.flink.core.fs.Path.fromLocalFile(beside.toFile()) : written;
    }

    static void addKeyed(List<Object> found, KeyedStateHandle handle) throws Exception {
        if (handle instanceof KeyGroupsStateHandle) {
            found.add(keyedHeader(((KeyGroupsStateHandle) handle).getDelegateStateHandle()));
        } else if (handle instanceof IncrementalRemoteKeyedStateHandle) {
            found.add(keyedHeader(((IncrementalRemoteKeyedStateHandle) handle).getMetaDataStateHandle()));
        } else if (handle instanceof ChangelogStateBackendHandleImpl) {
            for (KeyedStateHandle one : ((ChangelogStateBackendHandleImpl) handle).getMaterializedStateHandles()) {
                addKeyed(found, one);
            }
            for (KeyedStateHandle one : ((ChangelogStateBackendHandleImpl) handle).getNonMaterializedStateHandles()) {
                addKeyed(found, one);
            }
        } else if (handle instanceof InMemoryChangelogStateHandle) {
            found.add(changes(((InMemoryChangelogStateHandle) handle).getChanges().iterator()));
        } else if (handle instanceof ChangelogStateHandleStreamImpl) {
            for (var part : ((ChangelogStateHandleStreamImpl) handle).getHandlesAndOffsets()) {
                try (CloseableIterator<StateChange> changes = changesOf(part.f0, part.f1)) {
                    found.add(changes(changes));
                }
            }
        }
    }

    private static Object keyedHeader(StreamStateHandle stream) throws Exception {
        try (FSDataInputStream in = found(stream).openInputStream()) {
            Counted counted = new Counted(in);
            KeyedBackendSerializationProxy<Object> proxy = new KeyedBackendSerializationProxy<>(States.class.getClassLoader());
            proxy.read(new DataInputViewStreamWrapper(counted));
            return Handles.map("of", "keyed", "version", proxy.getReadVersion(), "compressed", proxy.isUsingKeyGroupCompression(), "key", serializer(proxy.getKeySerializerSnapshot()),
                    "states", states(proxy.getStateMetaInfoSnapshots()), "end", counted.count);
        }
    }

    static Object operatorHeader(OperatorStateHandle handle) throws Exception {
        try (FSDataInputStream in = found(handle.getDelegateStateHandle()).openInputStream()) {
            Counted counted = new Counted(in);
            OperatorBackendSerializationProxy proxy = new OperatorBackendSerializationProxy(States.class.getClassLoader());
            proxy.read(new DataInputViewStreamWrapper(counted));
            List<Object> states = states(proxy.getOperatorStateMetaInfoSnapshots());
            states.addAll(states(proxy.getBroadcastStateMetaInfoSnapshots()));
            return Handles.map("of", "operator", "version", proxy.getReadVersion(), "states", states, "end", counted.count);
        }
    }

    private static List<Object> states(List<StateMetaInfoSnapshot> snapshots) throws Exception {
        List<Object> states = new ArrayList<>();
        for (StateMetaInfoSnapshot snapshot : snapshots) {
            states.add(state(snapshot));
        }
        return states;
    }

    private static Object state(StateMetaInfoSnapshot snapshot) throws Exception {
        Map<String, Object> serializers = new TreeMap<>();
        for (Map.Entry<String, ? extends TypeSerializerSnapshot<?>> entry : snapshot.getSerializerSnapshotsImmutable().entrySet()) {
            serializers.put(entry.getKey(), serializer(entry.getValue()));
        }
        return Handles.map("name", snapshot.getName(), "type", snapshot.getBackendStateType().name(), "options", new TreeMap<>(snapshot.getOptionsImmutable()), "serializers", serializers);
    }

    /** The snapshot's class, what is in it, and what is known of classes: fields, constants, schema. */
    private static Object serializer(TypeSerializerSnapshot<?> snapshot) throws Exception {
        List<Object> nested = new ArrayList<>();
        Map<String, Object> facts = Handles.map("class", snapshot.getClass().getName(), "nested", nested);
        if (snapshot instanceof CompositeTypeSerializerSnapshot) {
            Object all = Reflection.call(snapshot, "getNestedSerializerSnapshots");
            for (int i = 0; i < Array.getLength(all); i++) {
                nested.add(serializer((TypeSerializerSnapshot<?>) Array.get(all, i)));
            }
        } else if (Reflection.is(snapshot, "PojoSerializerSnapshot")) {
            Object data = Reflection.field(snapshot, "snapshotData");
            List<Object> fields = new ArrayList<>();
            for (Map.Entry<?, ?> field : ((Map<?, ?>) Reflection.call(Reflection.call(data, "getFieldSerializerSnapshots"), "unwrapOptionals")).entrySet()) {
                fields.add(((Field) field.getKey()).getName());
                nested.add(serializer((TypeSerializerSnapshot<?>) field.getValue()));
            }
            facts.put("fields", fields);
            facts.put("of", ((Class<?>) Reflection.call(data, "getPojoClass")).getName());
            List<String> subclasses = new ArrayList<>();
            for (Object name : (Iterable<?>) Reflection.call(Reflection.call(data, "getNonRegisteredSubclassSerializerSnapshots"), "keyNames")) {
                subclasses.add((String) name);
            }
            facts.put("subclasses", subclasses);
        } else if (Reflection.is(snapshot, "TtlAwareSerializerSnapshot")) {
            facts.put("ttl", Reflection.call(snapshot, "isTtlEnabled"));
            nested.add(serializer((TypeSerializerSnapshot<?>) Reflection.call(snapshot, "getOrinalTypeSerializerSnapshot")));
        } else if (Reflection.is(snapshot, "AvroSerializerSnapshot")) {
            facts.put("schema", Reflection.field(snapshot, "schema").toString());
        } else if (Reflection.is(snapshot, "EnumSerializerSnapshot")) {
            List<Object> constants = new ArrayList<>();
            for (Object constant : (Object[]) Reflection.field(snapshot, "enums")) {
                constants.add(((Enum<?>) constant).name());
            }
            facts.put("constants", constants);
        }
        return facts;
    }

    /** Descriptions of states in changes, and how many of each operation there are for a state's number. */
    private static Object changes(java.util.Iterator<StateChange> changes) throws Exception {
        List<Object> states = new ArrayList<>();
        Map<String, Object> operations = new TreeMap<>();
        String[] names = {"CLEAR", "SET", "SET_INTERNAL", "ADD", "MERGE_NS", "ADD_ELEMENT", "ADD_OR_UPDATE_ELEMENT", "REMOVE_ELEMENT", "METADATA"};
        while (changes.hasNext()) {
            DataInputViewStreamWrapper in = new DataInputViewStreamWrapper(new ByteArrayInputStream(changes.next().getChange()));
            String name = names[in.readByte()];
            if (name.equals("METADATA")) {
                states.add(state(StateMetaInfoSnapshotReadersWriters.getReader(in.readInt()).readStateMetaInfoSnapshot(in, States.class.getClassLoader())));
            } else {
                operations.merge(in.readShort() + " " + name, 1, (left, right) -> (int) left + (int) right);
            }
        }
        return Handles.map("of", "changes", "states", states, "operations", operations);
    }

    /** Flink's reader of changelog files is not public. */
    @SuppressWarnings("unchecked")
    private static CloseableIterator<StateChange> changesOf(StreamStateHandle stream, long offset) throws Exception {
        Class<?> direct = Class.forName("org.apache.flink.changelog.fs.ChangelogStreamHandleReader");
        Field reader = direct.getDeclaredField("DIRECT_READER");
        reader.setAccessible(true);
        Constructor<?> make = Class.forName("org.apache.flink.changelog.fs.StateChangeIteratorImpl").getDeclaredConstructor(direct);
        make.setAccessible(true);
        Object iterator = make.newInstance(reader.get(null));
        Method read = iterator.getClass().getDeclaredMethod("read", StreamStateHandle.class, long.class);
        read.setAccessible(true);
        return (CloseableIterator<StateChange>) read.invoke(iterator, found(stream), offset);
    }

    /** Counts what was read. */
    private static final class Counted extends FilterInputStream {
        long count;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            count += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int n = in.read(bytes, from, length);
            count += Math.max(0, n);
            return n;
        }
    }
}
