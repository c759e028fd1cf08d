package sqlpeer;

import org.apache.flink.state.table.module.StateModule;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

import java.util.ArrayList;
import java.util.List;

/**
 * Asks SQL what is in a savepoint: {@code SqlPeer FOLDER QUERIES}. Prints as JSON {@code rows} and {@code ms}, by the clock from a query's text to its
 * last row, each query in turn; the first has the start of the table environment in it, as whoever asks once has.
 */
public final class SqlPeer {
    private SqlPeer() {}

    public static void main(String[] args) throws Exception {
        List<String> ms = new ArrayList<>();
        int rows = 0;
        long began = System.nanoTime();
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
        tables.loadModule("state", StateModule.INSTANCE);
        for (int query = 0; query < Integer.parseInt(args[1]); query++) {
            rows = 0;
            try (CloseableIterator<Row> found = tables.executeSql("SELECT * FROM savepoint_metadata('" + args[0] + "')").collect()) {
                for (; found.hasNext(); found.next()) {
                    rows++;
                }
            }
            long ended = System.nanoTime();
            ms.add(String.valueOf((ended - began) / 1_000_000));
            began = ended;
        }
        System.out.println("{\"rows\":" + rows + ",\"ms\":[" + String.join(",", ms) + "]}");
    }
}
