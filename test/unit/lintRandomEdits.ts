import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { TextEdit } from "../../src/core/lint/finding";
import { analysers } from "../../src/core/lint/analysers";
import type { LanguageAnalyser } from "../../src/core/lint/language";
import { LintWorkspace } from "../../src/core/lint/lintWorkspace";
import type { Syntax, SyntaxDocument } from "../../src/core/lint/syntax";
import { generatedJob, generatedPath, type Language } from "../e2e/support/generatedJobs";
import { fixtures } from "./lintFixtures";
import { seeded } from "./seeded";

/** Files that call each other, so that an edit of one matters to the other. */
const together: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  java: {
    "jobs/Orders.java": `package jobs;
import org.apache.flink.streaming.api.datastream.*;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

class Orders extends Base {
  private static final String PREFIX = "orders-";
  private DataStream<String> words;
  private SingleOutputStreamOperator<String> held;

  void read(StreamExecutionEnvironment env) {
    words = env.fromSource(Helpers.source(), null, "words");
    held = words.keyBy(x -> x).reduce((a, b) -> a + b);
  }

  void build() {
    Helpers.named(words.keyBy(x -> x).map(new Counting()), PREFIX + "count").print();
    held.uid(PREFIX + "held");
    keyed().process(new PerKey()).uid("per-key").name("Per key").print();
    Helpers.twice(words);
  }

  SingleOutputStreamOperator<String> sums() {
    return words.keyBy(x -> x).sum(0);
  }

  @Override
  protected KeyedStream<String, String> keyed() {
    return words.map(x -> x).keyBy(x -> x);
  }

  public static void main(String[] args) throws Exception {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    Orders orders = new Orders();
    orders.read(env);
    orders.build();
    if (args.length > 0) {
      orders.sums().uid("sums");
    } else {
      orders.sums().uid("sums");
    }
    env.execute();
  }
}
`,
    "jobs/Helpers.java": `package jobs;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.streaming.api.datastream.*;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;

class Helpers {
  static <T> SingleOutputStreamOperator<T> named(SingleOutputStreamOperator<T> op, String name) {
    return op.uid(name).name(name);
  }

  static KafkaSource<String> source() {
    return KafkaSource.<String>builder().setGroupId("g").build();
  }

  static void twice(DataStream<String> in) {
    in.keyBy(x -> x).map(new Counting()).uid("twice");
    in.keyBy(x -> x).map(new Counting()).uid("twice");
  }
}

abstract class Base {
  protected abstract KeyedStream<String, String> keyed();

  void end() {
    keyed().max(0).print();
  }
}

class Counting extends RichMapFunction<String, String> {
  private transient ValueState<Long> count;

  public String map(String x) {
    getRuntimeContext().getState(descriptor);
    return x;
  }
}

class PerKey extends KeyedProcessFunction<String, String, String> {
  public void processElement(String value, Context ctx, Collector<String> out) {
    out.collect(value);
  }
}
`,
  },
  kotlin: {
    "jobs/Orders.kt": `package jobs

import org.apache.flink.streaming.api.datastream.*
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment

const val PREFIX = "orders-"

class Orders(private val env: StreamExecutionEnvironment) {
    private val words: DataStream<String> = env.fromSource(source(), watermarks, "words").uid("words")
    private lateinit var held: SingleOutputStreamOperator<String>

    fun read() {
        held = words.keyBy { it }.reduce { a, b -> a + b }
    }

    fun build() {
        words.keyBy { it }.map(Counting()).named(PREFIX + "count").print()
        held.uid(PREFIX + "held")
        keyed().process(PerKey()).apply { uid("per-key") }.print()
        words.keyBy { it }.sum(0).also { it.name("Sum") }
    }

    private fun keyed(): KeyedStream<String, String> = words.map { it }.keyBy { it }
}

fun main() {
    val env = StreamExecutionEnvironment.getExecutionEnvironment()
    val orders = Orders(env)
    orders.read()
    orders.build()
    twice(env.fromElements("a"))
    env.execute()
}
`,
    "jobs/Helpers.kt": `package jobs

import org.apache.flink.api.common.functions.RichMapFunction
import org.apache.flink.connector.kafka.source.KafkaSource
import org.apache.flink.streaming.api.datastream.*
import org.apache.flink.streaming.api.functions.KeyedProcessFunction

fun <T> SingleOutputStreamOperator<T>.named(name: String): SingleOutputStreamOperator<T> = uid(name).name(name)

fun source(): KafkaSource<String> = KafkaSource.builder<String>().setGroupId("g").build()

fun twice(stream: DataStream<String>) {
    stream.keyBy { it }.map(Counting()).uid("twice")
    stream.keyBy { it }.map(Counting()).uid("twice")
}

class Counting : RichMapFunction<String, String>() {
    private lateinit var count: ValueState<Long>

    override fun map(x: String): String {
        runtimeContext.getState(descriptor)
        return x
    }
}

class PerKey : KeyedProcessFunction<String, String, String>() {
    override fun processElement(value: String, ctx: Context, out: Collector<String>) = out.collect(value)
}
`,
  },
  scala: {
    "jobs/Orders.scala": `package jobs

import org.apache.flink.streaming.api.scala._

object Names {
  val Prefix = "orders-"
}

class Orders(env: StreamExecutionEnvironment) {
  import Helpers._

  val words: DataStream[String] = env.fromSource(source, watermarks, "words").uid("words")
  var held: DataStream[String] = _

  def read(): Unit = {
    held = words.keyBy(x => x).reduce((a, b) => a + b)
  }

  def build(): Unit = {
    words.keyBy(x => x).map(new Counting).named(Names.Prefix + "count").print()
    held.uid(Names.Prefix + "held")
    keyed.process(new PerKey).uid("per-key").name("Per key").print()
    words.keyBy(x => x).sum(0)
  }

  private def keyed = words.map(x => x).keyBy(x => x)
}

object Main {
  def main(args: Array[String]): Unit = {
    val env = StreamExecutionEnvironment.getExecutionEnvironment
    val orders = new Orders(env)
    orders.read()
    orders.build()
    Helpers.twice(env.fromElements("a"))
    env.execute()
  }
}
`,
    "jobs/Helpers.scala": `package jobs

import org.apache.flink.api.common.functions.RichMapFunction
import org.apache.flink.connector.kafka.source.KafkaSource
import org.apache.flink.streaming.api.scala._
import org.apache.flink.streaming.api.functions.KeyedProcessFunction

object Helpers {
  implicit class Named[T](stream: DataStream[T]) {
    def named(name: String): DataStream[T] = stream.uid(name).name(name)
  }

  def source: KafkaSource[String] = KafkaSource.builder[String]().setGroupId("g").build()

  def twice(stream: DataStream[String]): Unit = {
    stream.keyBy(x => x).map(new Counting).uid("twice")
    stream.keyBy(x => x).map(new Counting).uid("twice")
  }
}

class Counting extends RichMapFunction[String, String] {
  lazy val count = getRuntimeContext.getState(descriptor)

  override def map(x: String): String = x
}

class PerKey extends KeyedProcessFunction[String, String, String] {
  override def processElement(value: String, ctx: Context, out: Collector[String]): Unit = out.collect(value)
}
`,
  },
  python: {
    "jobs/orders.py": `from pyflink.datastream import StreamExecutionEnvironment, DataStream
from jobs.helpers import named, source, twice, Counting, BaseJob

PREFIX = "orders-"
SHARED = []


class Orders(BaseJob):
    def __init__(self, env):
        self.env = env
        self.words = env.from_source(source(), None, "words").uid("words")
        self.held = None

    def read(self):
        self.held = self.words.key_by(lambda x: x).process(Counting())
        SHARED.append(self.held)

    def build(self):
        named(self.words.key_by(lambda x: x).process(Counting()), PREFIX + "count").print()
        self.held.uid(PREFIX + "held")
        self.keyed().process(Counting()).uid("per-key").name("Per key").print()

    def keyed(self):
        return self.words.map(lambda x: x).key_by(lambda x: x)


def sums(stream: DataStream):
    return stream.key_by(lambda x: x).process(Counting())


def main():
    env = StreamExecutionEnvironment.get_execution_environment()
    orders = Orders(env)
    orders.read()
    orders.build()
    sums(orders.words).uid("sums")
    twice(env.from_collection([1]))
    env.execute()


if __name__ == "__main__":
    main()
`,
    "jobs/helpers.py": `from pyflink.datastream import KeyedProcessFunction
from pyflink.datastream.connectors.kafka import KafkaSource


def named(op, name):
    return op.uid(name).name(name)


def source():
    return KafkaSource.builder().set_group_id("g").build()


def twice(stream):
    for name in ["a", "b"]:
        stream.key_by(lambda x: x).process(Counting()).uid("twice")


class BaseJob:
    def keyed(self):
        return None

    def end(self):
        self.keyed().process(Counting()).print()


class Counting(KeyedProcessFunction):
    def open(self, context):
        self.count = context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value, ctx):
        yield value
`,
  },
};

/** What people type, whole or half. */
const snippets: Readonly<Record<Language, readonly string[]>> = {
  java: [".uid(\"typed\")", ".name(\"typed\")", ".setParallelism(2)", "\n  void more(DataStream<String> in) { in.keyBy(x -> x).sum(0).print(); }\n", "words.keyBy(x -> x).min(0).uid(\"typed\");\n", "if (args == null) return;\n", "import java.util.*;\n", "private DataStream<String> other;\n", "String id = java.util.UUID.randomUUID().toString();\n", "// flink-lint: ignore[missing-uid] known\n", "env.setRuntimeMode(RuntimeExecutionMode.BATCH);\n"],
  kotlin: [".uid(\"typed\")", ".name(\"typed\")", ".setParallelism(2)", "\nfun more(stream: DataStream<String>) { stream.keyBy { it }.sum(0).print() }\n", "words.keyBy { it }.min(0).uid(\"typed\")\n", "if (env == null) return\n", "import java.util.*\n", "private val other = words.map { it }\n", "val id = java.util.UUID.randomUUID().toString()\n", "// flink-lint: ignore[missing-uid] known\n"],
  scala: [".uid(\"typed\")", ".name(\"typed\")", ".setParallelism(2)", "\n  def more(stream: DataStream[String]): Unit = stream.keyBy(x => x).sum(0).print()\n", "words.keyBy(x => x).min(0).uid(\"typed\")\n", "import java.util._\n", "val other = words.map(x => x)\n", "val id = java.util.UUID.randomUUID().toString\n", "// flink-lint: ignore[missing-uid] known\n"],
  python: [".uid(\"typed\")", ".name(\"typed\")", ".set_parallelism(2)", "\ndef more(stream: DataStream):\n    stream.key_by(lambda x: x).process(Counting()).print()\n", "\nenv.from_source(source(), None, \"typed\").uid(\"typed\")\n", "    return None\n", "import uuid\n", "other = []\n", "name = str(uuid.uuid4())\n", "# flink-lint: ignore[missing-uid] known\n", "if True:\n    ", "global PREFIX\n"],
};
const marks = ["{", "}", "(", ")", "\"", "'", ".", ",", ";", "=", ":", "[", "]", "\n", " ", "    ", "x", "0", "\"\"\"", "/*", "#"];

/** Where a language's files come from that are edited: two that call each other, one of the fixtures or a generated one. */
function startOf(language: Language, random: () => number): Map<string, string> {
  const files = new Map(Object.entries(together[language]));
  const names = readdirSync(path.join(fixtures, language)).filter((name) => /\.\w+$/.test(name)).sort();
  const name = names[Math.floor(random() * (names.length + 2))];
  if (name === undefined) files.set(generatedPath(language, Math.floor(random() * 100)), generatedJob(language, Math.floor(random() * 100), 1 + Math.floor(random() * 2)));
  else files.set(name, readFileSync(path.join(fixtures, language, name), "utf8"));
  return files;
}

/** One thing a person does to a text: edits one after the other. */
function actionOn(text: string, language: Language, random: () => number): readonly TextEdit[][] {
  const below = (count: number): number => Math.floor(random() * count);
  const oneOf = <T>(all: readonly T[]): T => all[below(all.length)] as T;
  const at = below(text.length + 1);
  const lines = text.split("\n");
  const offsetOf = (line: number): number => lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0);
  const block = (): { readonly start: number; readonly end: number } => {
    const from = below(lines.length);
    return { start: Math.min(offsetOf(from), text.length), end: Math.min(offsetOf(from + 1 + below(random() < 0.5 ? 3 : 25)), text.length) };
  };
  // Most is typed at the ends of lines and of words.
  const spot = random() < 0.3 ? at : oneOf([...text.matchAll(/[\w)"]$|\)(?=\.)|;$|^(?=\s*\w)|\b/gm)].map(({ index }) => index)) ?? at;
  switch (below(8)) {
    case 0: {
      const typed = oneOf(snippets[language]);
      const step = Math.max(1, Math.ceil(typed.length / (1 + below(4))));
      return Array.from({ length: Math.ceil(typed.length / step) }, (_, part) => [{ start: spot + part * step, end: spot + part * step, text: typed.slice(part * step, (part + 1) * step) }]);
    }
    case 1:
      return [[{ start: spot, end: spot, text: oneOf(marks) }]];
    case 2:
      return [[{ start: spot, end: Math.min(text.length, spot + 1 + below(random() < 0.7 ? 4 : 60)), text: "" }]];
    case 3: {
      const { start, end } = block();
      return [[{ start, end, text: "" }]];
    }
    case 4: {
      // A block that moves, in one go or in two.
      const { start, end } = block();
      const rest = text.slice(0, start) + text.slice(end);
      const places = [...rest.matchAll(/^/gm)].map(({ index }) => index);
      const to = oneOf(places);
      const edits = [{ start, end, text: "" }, { start: to, end: to, text: text.slice(start, end) }];
      return random() < 0.5 ? [edits] : edits.map((edit) => [edit]);
    }
    case 5: {
      const { start, end } = block();
      return [[{ start: end, end, text: text.slice(start, end) }]];
    }
    case 6: {
      // Renamed in one place, or wherever it stands.
      const words = [...text.matchAll(/\b[A-Za-z_]\w{2,}\b/g)];
      const word = oneOf(words);
      if (word === undefined) return [];
      const [name] = word;
      const other = random() < 0.5 ? `${name}2` : (oneOf(words)?.[0] ?? name);
      const places = random() < 0.5 ? [word.index] : words.filter(([found]) => found === name).map(({ index }) => index).reverse();
      return [places.slice(0, 200).map((start) => ({ start, end: start + name.length, text: other }))];
    }
    default: {
      const texts = [...text.matchAll(/"[\w-]{1,30}"/g)];
      const [one, other] = [oneOf(texts), oneOf(texts)];
      return one === undefined || other === undefined ? [] : [[{ start: one.index, end: one.index + one[0].length, text: other[0] }]];
    }
  }
}

/** An open file, as a workspace keeps it. */
interface Open {
  readonly document: SyntaxDocument;
  readonly facts: unknown;
}

/**
 * Applies that many edits to files of a language, as an editor does, and asserts after each that every file has the findings that the very same trees give
 * when they are read and followed anew. While a text holds no syntax error, it must also have those of the text parsed anew; with one, what the parser makes
 * of it depends on how the text came to be. Says how many findings were compared.
 */
export function compareEdits(syntax: Syntax, language: Language, count: number, seed: number): number {
  const random = seeded(seed);
  const analyser = (analysers as readonly unknown[] as readonly LanguageAnalyser<unknown>[]).find((one) => one.language === language);
  assert.ok(analyser?.grammar !== undefined);
  const { grammar } = analyser;
  const masked = (text: string): string => analyser.masked?.(text) ?? text;
  let done = 0;
  let compared = 0;
  while (done < count) {
    const texts = startOf(language, random);
    const files = new Map<string, unknown>();
    const edited = { files, revision: 0, buildFiles: new Map() };
    const open = new Map<string, Open>();
    const history: [string, string][] = [];
    for (const [file, text] of texts) reopen(file, text);
    for (let step = 0; step < 30 && done < count; step++) {
      const file = [...open.keys()][Math.floor(random() * open.size)] ?? "";
      const before = history.at(-1);
      const actions = random() < 0.15 && before !== undefined ? [] : actionOn(textOf(file), language, random);
      if (actions.length === 0 && before !== undefined) {
        // Undone.
        history.pop();
        change(before[0], [smallest(textOf(before[0]), before[1])]);
      }
      for (const edits of actions) {
        history.push([file, textOf(file)]);
        change(file, edits);
      }
    }
    for (const { document } of open.values()) document.dispose();

    function textOf(file: string): string {
      return texts.get(file) ?? "";
    }

    function reopen(file: string, text: string): void {
      open.get(file)?.document.dispose();
      const document = syntax.open(grammar, masked(text));
      keep(file, { document, facts: analyser?.read({ path: file, text }, document.tree, { before: undefined }) });
    }

    function keep(file: string, now: Open): void {
      open.set(file, now);
      files.set(file, now.facts);
      edited.revision++;
    }

    function change(file: string, edits: readonly TextEdit[]): void {
      const text = edits.reduce((now, { start, end, text: typed }) => now.slice(0, start) + typed + now.slice(end), textOf(file));
      texts.set(file, text);
      const before = open.get(file);
      assert.ok(before !== undefined && analyser !== undefined);
      const { document } = before;
      const unchanged = document.edit(edits.map((edit) => ({ ...edit, text: masked(edit.text) })));
      if (document.text === masked(text)) keep(file, { document, facts: analyser.read({ path: file, text }, document.tree, { before: { facts: before.facts, unchanged } }) });
      else reopen(file, text);
      done++;
      compare(`after edit ${done} of ${file} from seed ${seed}: ${JSON.stringify(edits)}`);
    }

    function compare(when: string): void {
      assert.ok(analyser !== undefined);
      const fresh = { files: new Map<string, unknown>(), revision: 0, buildFiles: new Map() };
      for (const [name, { document }] of open) fresh.files.set(name, analyser.read({ path: name, text: textOf(name) }, document.tree));
      const isWhole = [...open.values()].every(({ document }) => !document.tree.rootNode.hasError);
      const parsed = isWhole ? new LintWorkspace(syntax) : undefined;
      for (const [name, text] of texts) parsed?.put(name, text);
      for (const [name, { facts }] of open) {
        const source = { path: name, text: textOf(name) };
        const findings = analyser.findings(source, fresh.files.get(name), fresh);
        compared += findings.length;
        assert.deepEqual(analyser.findings(source, facts, edited), findings, `${name} ${when}`);
        if (parsed?.facts(name) !== undefined) assert.deepEqual(parsed.findings(name), findings, `${name}, parsed anew, ${when}`);
      }
      parsed?.dispose();
    }
  }
  return compared;
}

/** The edit that turns a text into another one, but for what both begin and end with. */
function smallest(before: string, now: string): TextEdit {
  let start = 0;
  while (start < before.length && before[start] === now[start]) start++;
  let end = 0;
  while (end < before.length - start && end < now.length - start && before.at(-1 - end) === now.at(-1 - end)) end++;
  return { start, end: before.length - end, text: now.slice(start, now.length - end) };
}
