import { expect, test } from "vitest";
import { pictureRecord, scalarsRecord, versionRecord } from "../../../engine/formats/tfevents.ts";
import { memoryDirectory } from "../../../test/memory-directory.ts";
import { EVENTS, TensorBoardLog } from "./tensorboard-log.ts";

/** Lengths of the records in a file; the times in them differ from run to run, their sizes do not. */
function records(bytes: Uint8Array | undefined): number[] {
  const out: number[] = [];
  const view = new DataView(Uint8Array.from(bytes ?? []).buffer);
  for (let at = 0; at < view.byteLength; at += out.at(-1) ?? 0) out.push(Number(view.getBigUint64(at, true)) + 16);
  return out;
}

const PNG = new Uint8Array(40);
const VERSION = versionRecord(0).length;
const LINE = scalarsRecord(0, 1, { loss: 1, lr: 1 }).length;
const PICTURE = pictureRecord(0, 2, "samples/0", PNG).length;

test("numbers and sample pictures are added as they come; a picture that is not there is left out", async () => {
  const dir = memoryDirectory();
  const log = await TensorBoardLog.open(dir, 0);
  await dir.write("samples/0-step-000002.png", PNG);
  await log.add(1, { loss: 0.5, lr: 0.1 });
  await log.add(2, { loss: Number.NaN, lr: 0.1 }, { 0: "samples/0-step-000002.png", 1: "samples/1-step-000002.png" });
  expect(records(dir.files.get(EVENTS))).toEqual([VERSION, LINE, LINE, PICTURE]);
});

test("a resumed run makes the file anew from its metrics and samples: torn and later records are gone", async () => {
  const dir = memoryDirectory();
  await dir.append("metrics.jsonl", '{"step":1,"loss":0.5,"lr":0.1}');
  await dir.append("metrics.jsonl", '{"step":2,"loss":null,"lr":0.1}');
  await dir.write("samples/0-step-000002.png", PNG);
  await dir.write("samples/0-step-000009.png", PNG);
  await dir.write(EVENTS, Uint8Array.of(1, 2, 3));
  await TensorBoardLog.open(dir, 2);
  expect(records(dir.files.get(EVENTS))).toEqual([VERSION, LINE, LINE, PICTURE]);
});
