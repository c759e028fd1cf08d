/** A text from a file as a terminal may show it: control characters, and those that turn the direction of text, stand as �; long ones are cut in the middle. */
export function printable(text: string, mostChars = 4000): string {
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu, "�");
  const chars = clean.length > mostChars ? [...clean] : [];
  if (chars.length <= mostChars) return clean;
  const tail = Math.floor((mostChars - 1) / 3);
  return `${chars.slice(0, mostChars - 1 - tail).join("")}…${chars.slice(chars.length - tail).join("")}`;
}
