import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Registry } from "../../engine/node/registry.ts";
import { nodes } from "../../nodes/index.ts";
import type { Doc } from "./document.ts";
import { type Flow, gradientFlow } from "./gradient-flow.ts";
import { nodeFaces } from "./node-face.ts";
import { openDocument } from "./tabs.ts";

const registry = new Registry(nodes);
const faces = nodeFaces(registry);
const open = (name: string): Doc =>
  openDocument(JSON.parse(readFileSync(join(import.meta.dirname, "../../graphs", name), "utf8")), faces, "doc");

/** `Source.output → Target.input`: carries, or why it stops. */
function told(doc: Doc, flow: ReadonlyMap<string, Flow>): Record<string, string> {
  const node = (id: unknown) => doc.nodes.find((n) => String(n.id) === String(id));
  return Object.fromEntries(
    [...flow].map(([id, f]) => {
      const link = doc.links.find((l) => String(l.id) === id);
      const target = node(link?.target_id);
      return [
        `${node(link?.origin_id)?.type} → ${target?.type}.${target?.inputs[link?.target_slot ?? 0]?.name}`,
        f.carries ? "carries" : f.reason,
      ];
    }),
  );
}

test("graphs/train.json: through rewards, encoder, model and VAE; it stops at detection, prompt and data, with the reason", () => {
  const doc = open("train.json");
  const links = told(doc, gradientFlow(doc, null, registry));
  const carrying = Object.entries(links).flatMap(([name, how]) => (how === "carries" ? [name] : []));
  expect(carrying).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/→ TrainReReFL\.reward$/),
      "UNETLoader → TrainReReFL.model",
      "VAELoader → TrainReReFL.vae",
    ]),
  );
  expect(
    Object.keys(links)
      .filter((name) => /face_encoder$/.test(name))
      .every((name) => links[name] === "carries"),
  ).toBe(true);
  expect(links["CLIPLoader → TrainReReFL.clip"]).toMatch(/encoded once/);
  expect(Object.entries(links).find(([name]) => name.endsWith("TrainReReFL.dataset"))?.[1]).toMatch(/data/);
  const detectors = Object.entries(links).filter(([name]) => name.endsWith(".face_detector"));
  for (const [, how] of detectors) expect(how).toMatch(/Detection/);
});

test("graphs/reward.json: a reward graph shows where its gradient runs without any training", () => {
  const doc = open("reward.json");
  const links = told(doc, gradientFlow(doc, null, registry));
  expect(links).toMatchObject({
    "GateReward → EvaluateReward.reward": "carries",
    "MIMRReward → WeightedSumReward.reward_1": "carries",
    "FaceEncoderLoader → MIMRReward.face_encoder": "carries",
    "CountReward → GateReward.gate": expect.stringMatching(/Counting faces has no gradient/),
    "FaceDetectorLoader → MIMRReward.face_detector": expect.stringMatching(/Detection/),
    "FaceDetect → EvaluateReward.references": expect.stringMatching(/constants/),
  });
});

test("without a reward nothing flows back through the VAE; without a training nothing flows at all", () => {
  const doc = open("train.json");
  const train = doc.nodes.find((n) => n.type === "TrainReReFL");
  const cut = {
    ...doc,
    nodes: doc.nodes.map((n) =>
      n === train ? { ...n, inputs: n.inputs.map((i) => (i.name === "reward" ? { ...i, link: null } : i)) } : n,
    ),
  };
  const links = told(cut, gradientFlow(cut, null, registry));
  expect(links["VAELoader → TrainReReFL.vae"]).toMatch(/only encoded/);
  expect(links["UNETLoader → TrainReReFL.model"]).toBe("carries");
  expect(Object.keys(links).filter((name) => name.includes("Reward"))).toEqual([]);
  expect(gradientFlow(open("edit.json"), null, registry).size).toBe(0);
  const muted = { ...doc, nodes: doc.nodes.map((n) => (n === train ? { ...n, mode: 2 } : n)) };
  expect(gradientFlow(muted, null, registry).size).toBe(0);
});

test("rewards that are only read off the picture stop the gradient", () => {
  const prompt = {
    1: { class_type: "CountReward", inputs: { face_detector: ["2", 0] } },
    2: { class_type: "FaceDetectorLoader", inputs: {} },
    3: { class_type: "WeightedSumReward", inputs: { reward_1: ["1", 0], reward_2: ["4", 0] } },
    4: { class_type: "MIMRReward", inputs: { face_detector: ["2", 0], face_encoder: ["5", 0] } },
    5: { class_type: "FaceEncoderLoader", inputs: {} },
    6: { class_type: "ScorePicture", inputs: { reward: ["3", 0], image: ["7", 0] } },
    7: { class_type: "LoadImage", inputs: { image: "a.png" } },
  };
  const doc = openDocument(prompt, faces, "doc");
  const links = told(doc, gradientFlow(doc, null, registry));
  expect(links).toMatchObject({
    "WeightedSumReward → ScorePicture.reward": "carries",
    "MIMRReward → WeightedSumReward.reward_2": "carries",
    "FaceEncoderLoader → MIMRReward.face_encoder": "carries",
    "CountReward → WeightedSumReward.reward_1": expect.stringMatching(/Counting/),
    "FaceDetectorLoader → MIMRReward.face_detector": expect.stringMatching(/Detection/),
    "LoadImage → ScorePicture.image": expect.stringMatching(/data/),
  });
  expect(Object.keys(links)).not.toContain("FaceDetectorLoader → CountReward.face_detector");
});
