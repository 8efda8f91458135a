import { expect, test } from "vitest";
import { CheckpointSum, checkpointHeader } from "./train-checkpoint.ts";

const rest = { step: 7, fingerprint: "f", carried: "{}" };
const sumOf = (about: ConstructorParameters<typeof CheckpointSum>[0], ...parts: readonly (readonly [string, readonly number[]])[]) => {
  const sum = new CheckpointSum(about);
  for (const [name, bytes] of parts) sum.add(name, Uint8Array.from(bytes));
  return sum.digest();
};

test("the checksum is SHA-256 of the step, what is carried, the LoRA where there is one, names and bytes: checkpoints of earlier versions stay whole", () => {
  // Python: hashlib.sha256(b'["7","f","{}"]' + b"param.a" + bytes([1, 2, 3, 4])).hexdigest(), and with ,"{\"layers\":[]}" in the list.
  expect(sumOf(rest, ["param.a", [1, 2, 3, 4]])).toBe("8ee25fb9569769cd35fd27303cd7225bcbad0d59f5d361089caaa02c2debc1c6");
  expect(sumOf({ ...rest, lora: '{"layers":[]}' }, ["param.a", [1, 2, 3, 4]])).toBe(
    "95d5d56481b627edfcea407a22817bdcff3f559aa98842cc2fbec2895ff201c2",
  );
});

test("everything that decides the next update changes it", () => {
  const sums = [
    sumOf(rest, ["a", [1]], ["b", [2]]),
    sumOf({ ...rest, step: 8 }, ["a", [1]], ["b", [2]]),
    sumOf({ ...rest, fingerprint: "g" }, ["a", [1]], ["b", [2]]),
    sumOf({ ...rest, carried: '{"x":1}' }, ["a", [1]], ["b", [2]]),
    sumOf({ ...rest, lora: "" }, ["a", [1]], ["b", [2]]),
    sumOf(rest, ["a", [1]], ["b", [3]]),
    sumOf(rest, ["a", [1]], ["c", [2]]),
    sumOf(rest, ["a", [1]]),
  ];
  expect(new Set(sums).size).toBe(sums.length);
});

test("a header is of this format and version, and its step counts updates", () => {
  const text = { format: "whos-who.train", version: "1", step: "0", fingerprint: "f", carried: "{}" };
  expect(checkpointHeader.parse(text)).toEqual({ ...text, step: 0 });
  expect(checkpointHeader.parse({ ...text, step: "12", lora: "l", sha256: "s" })).toEqual({ ...text, step: 12, lora: "l", sha256: "s" });
  for (const wrong of [{ format: "pt" }, { version: "2" }, { step: "-1" }, { step: "1.5" }, { step: "x" }, { carried: undefined }])
    expect(checkpointHeader.safeParse({ ...text, ...wrong }).success, JSON.stringify(wrong)).toBe(false);
});
