// What a typed value is taken for, as the server says it (experiments/recording/typed.py).
const WORDS: Record<string, string> = { true: "yes or no", false: "yes or no", null: "nothing", none: "nothing" };

export function kindOf(text: string): string {
  const said = text.trim();
  if (!said) return "";
  if (/^[+-]?\d+$/.test(said)) return "whole number";
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(said)) return "number";
  if (/^[[{]/.test(said) && /[\]}]$/.test(said)) return "list";
  return WORDS[said.toLowerCase()] ?? "text";
}
