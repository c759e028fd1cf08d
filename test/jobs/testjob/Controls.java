package testjob;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

/**
 * Files in a folder that change what the job does while it runs:
 * <ul>
 *   <li>{@code sleep-ms}: milliseconds that every keyed task sleeps in {@code snapshotState};
 *   <li>{@code hold-snapshot}: every keyed task waits in {@code snapshotState} until the file is gone;
 *   <li>{@code fail-snapshot}: {@code snapshotState} throws;
 *   <li>{@code fail-process}: the keyed operator throws in {@code processElement};
 *   <li>{@code fail-restore}: the keyed operator throws when it is restored;
 *   <li>{@code fail-commit}: the sink throws in {@code notifyCheckpointComplete};
 *   <li>{@code hang-source}: the throttle blocks, so that no barrier passes.
 * </ul>
 */
final class Controls implements Serializable {
    private static final long serialVersionUID = 1;

    private final String folder;

    Controls(String folder) {
        this.folder = folder;
    }

    boolean on(String name) {
        return !folder.isEmpty() && Files.exists(Paths.get(folder, name));
    }

    long number(String name) throws IOException {
        return on(name) ? Long.parseLong(new String(Files.readAllBytes(Paths.get(folder, name)), StandardCharsets.UTF_8).trim()) : 0;
    }
}
