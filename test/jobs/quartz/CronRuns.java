import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.TimeZone;
import java.util.TreeSet;
import org.quartz.CronExpression;

/**
 * The runs of Quartz's own CronExpression, together for the triggers of a line. Reads lines of `zone TAB fromMs TAB untilMs TAB atMost TAB trigger|trigger`
 * and answers each with a line of instants, at most that many, epoch milliseconds.
 */
final class CronRuns {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    StringBuilder out = new StringBuilder();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split("\t");
      long untilMs = Long.parseLong(parts[2]);
      int atMost = Integer.parseInt(parts[3]);
      TreeSet<Long> runs = new TreeSet<>();
      for (String trigger : parts[4].split("\\|")) {
        CronExpression cron = new CronExpression(trigger);
        cron.setTimeZone(TimeZone.getTimeZone(parts[0]));
        Date at = cron.getNextValidTimeAfter(new Date(Long.parseLong(parts[1])));
        for (int count = 0; count < atMost && at != null && at.getTime() < untilMs; count++) {
          runs.add(at.getTime());
          at = cron.getNextValidTimeAfter(at);
        }
      }
      List<String> texts = new ArrayList<>();
      for (long run : runs) if (texts.size() < atMost) texts.add(String.valueOf(run));
      out.append(String.join(",", texts)).append('\n');
    }
    System.out.print(out);
  }
}
