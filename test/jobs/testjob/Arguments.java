package testjob;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Arguments as pairs {@code --key value}; of a key that comes several times the last value holds, or all do. */
final class Arguments {
    private final Map<String, List<String>> values = new HashMap<>();

    Arguments(String[] args) {
        for (int i = 0; i < args.length; i += 2) {
            if (!args[i].startsWith("--") || i + 1 == args.length) {
                throw new IllegalArgumentException("Arguments come in pairs, --key value; found " + args[i]);
            }
            values.computeIfAbsent(args[i].substring(2), key -> new ArrayList<>()).add(args[i + 1]);
        }
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    List<String> all(String key) {
        return values.getOrDefault(key, List.of());
    }

    String text(String key, String absent) {
        List<String> all = all(key);
        return all.isEmpty() ? absent : all.get(all.size() - 1);
    }

    long number(String key, long absent) {
        return has(key) ? Long.parseLong(text(key, "")) : absent;
    }

    boolean flag(String key, boolean absent) {
        return has(key) ? Boolean.parseBoolean(text(key, "")) : absent;
    }
}
