import type { JavaValue } from "../javaStream";

/** A SQL type out of its Java object, such as `RowType(a IntType, b VarCharType(20)) NOT NULL` (`LogicalType` and `DataType`). */
export function logicalTypeText(value: JavaValue): string {
  return textOf(value, { depth: 32, nodes: 5000 });
}

/** Objects refer to each other, even in circles, so depth and number are bounded. */
function textOf(value: JavaValue, left: { depth: number; nodes: number }): string {
  left.nodes--;
  if (value.type !== "object" || left.depth < 0 || left.nodes < 0) return value.type === "object" ? simpleName(value.className) : value.type;
  const { fields } = value;
  const inner = (type: JavaValue): string => {
    left.depth--;
    const text = textOf(type, left);
    left.depth++;
    return text;
  };
  // A DataType holds the logical type that it is a form of.
  const logical = fields.get("logicalType");
  if (logical !== undefined) return inner(logical);
  const text = (name: string): string | undefined => {
    const field = fields.get(name);
    return field?.type === "number" ? String(field.value) : undefined;
  };
  const numbers = ["length", "precision", "scale", "yearPrecision", "dayPrecision", "fractionalPrecision"].map(text).filter((one) => one !== undefined);
  const parts = [
    ...(numbers.length > 0 ? [numbers.join(",")] : []),
    ...listOf(fields.get("fields")).map((field) => {
      if (field.type !== "object") return "";
      const name = field.fields.get("name");
      const type = field.fields.get("type");
      return `${name?.type === "string" ? name.value : ""} ${type === undefined ? "" : inner(type)}`.trim();
    }),
    ...["elementType", "keyType", "valueType"].flatMap((name) => {
      const type = fields.get(name);
      return type?.type === "object" ? [inner(type)] : [];
    }),
  ];
  const nullable = fields.get("isNullable");
  const suffix = nullable?.type === "boolean" && !nullable.value ? " NOT NULL" : "";
  return `${simpleName(value.className)}${parts.length > 0 ? `(${parts.join(", ")})` : ""}${suffix}`;
}

function simpleName(className: string): string {
  return className.slice(Math.max(className.lastIndexOf("."), className.lastIndexOf("$")) + 1);
}

/** Elements of a Java list, through the wrappers of `Collections` and `Arrays`. */
function listOf(value: JavaValue | undefined): readonly JavaValue[] {
  for (let at = value, hops = 0; at !== undefined && hops < 8; hops++) {
    if (at.type === "array") return at.elements;
    if (at.type !== "object") return [];
    const inner: JavaValue | undefined = at.fields.get("list") ?? at.fields.get("c") ?? at.fields.get("a");
    if (inner === undefined) return at.written;
    at = inner;
  }
  return [];
}
