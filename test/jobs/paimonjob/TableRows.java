package paimonjob;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.paimon.catalog.Catalog;
import org.apache.paimon.catalog.CatalogContext;
import org.apache.paimon.catalog.CatalogFactory;
import org.apache.paimon.catalog.Identifier;
import org.apache.paimon.data.InternalRow;
import org.apache.paimon.options.Options;
import org.apache.paimon.reader.RecordReader;
import org.apache.paimon.table.Table;
import org.apache.paimon.table.source.ReadBuilder;

/**
 * Reads whole tables with Paimon's own reader and prints a line for each: name, rows, different ids, smallest and largest id, separated by blanks.
 * {@code TableRows WAREHOUSE db.t [db.t@TAG …]}.
 */
public final class TableRows {
    private TableRows() {}

    public static void main(String[] args) throws Exception {
        Options options = new Options();
        options.set("warehouse", args[0]);
        try (Catalog catalog = CatalogFactory.createCatalog(CatalogContext.create(options))) {
            for (int at = 1; at < args.length; at++) {
                String[] parts = args[at].split("@");
                Table table = catalog.getTable(Identifier.fromString(parts[0]));
                Map<String, String> dynamic = new HashMap<>();
                if (parts.length > 1) dynamic.put("scan.tag-name", parts[1]);
                System.out.println(args[at] + " " + counted(table.copy(dynamic)));
            }
        }
    }

    private static String counted(Table table) throws Exception {
        ReadBuilder builder = table.newReadBuilder();
        Set<Long> ids = new HashSet<>();
        long[] rows = {0, Long.MAX_VALUE, 0};
        try (RecordReader<InternalRow> reader = builder.newRead().createReader(builder.newScan().plan())) {
            reader.forEachRemaining(row -> {
                long id = row.getLong(0);
                ids.add(id);
                rows[0]++;
                rows[1] = Math.min(rows[1], id);
                rows[2] = Math.max(rows[2], id);
            });
        }
        return rows[0] + " " + ids.size() + " " + (rows[0] == 0 ? 0 : rows[1]) + " " + rows[2];
    }
}
