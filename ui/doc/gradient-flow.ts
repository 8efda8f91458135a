// Which links a gradient runs through, and where it ends: from what the sockets carry. The training itself decides by the tensors.
import type { Registry } from "../../engine/node/registry.ts";
import {
  type Doc,
  type DocGraph,
  graphAt,
  type Id,
  INPUT_NODE,
  linkById,
  nodeById,
  OUTPUT_NODE,
  type Place,
  sameId,
  typeName,
} from "./document.ts";
import { outputType } from "./links.ts";

export type Flow = { readonly carries: true } | { readonly carries: false; readonly reason: string };

/** Functions that build themselves into the training's graph: they are differentiated with it. */
const FUNCTIONS = new Set(["REWARD", "OBJECTIVE", "MODEL", "VAE", "FACE_ENCODER", "ONNX"]);

/** Modules and data that enter as constants. What is missing here is a setting, and not worth a word. */
const CONSTANTS: Readonly<Record<string, string>> = {
  FACE_DETECTOR: "Detection finds whole boxes and has no gradient: they enter as constants.",
  CLIP: "The prompt is encoded once, before the training.",
  DATASET: "Pictures and captions are data.",
  IMAGE: "A picture that is given is data.",
  MASK: "A mask is data.",
  LATENT: "Latents that are given are data.",
  CONDITIONING: "The prompt is encoded once.",
  FACES: "Faces are found once and enter as constants.",
  EMBEDDINGS: "Vectors of given faces are constants.",
  SIMILARITY: "What was compared before is a constant.",
  MATCHES: "Who is who is decided first and held fixed: an assignment has no gradient.",
};

/** Rewards that are read off the picture without a gradient. */
const READINGS: Readonly<Record<string, string>> = {
  CountReward: "Counting faces has no gradient: it weighs in the sum and changes nothing.",
  LayoutReward: "Places of faces come from detection and have no gradient: it weighs in the sum and changes nothing.",
};

/** Nodes that a reward ends in: what they are given can be differentiated in the picture ("Score a picture" does), without any training. */
const SCORES = new Set(["ScorePicture", "EvaluateReward"]);
const MUTED = 2;
const BYPASSED = 4;

/**
 * Links of one graph by id. A subgraph is looked at as if what it hands out were trained on, when the workflow trains at all.
 * Links that have nothing to do with a gradient are absent.
 */
export function gradientFlow(doc: Doc, place: Place, registry: Registry): ReadonlyMap<string, Flow> {
  const graph = graphAt(doc, place);
  const out = new Map<string, Flow>();
  const graphs = [doc, ...doc.subgraphs];
  const isTraining = graphs.some((g) => g.nodes.some((n) => n.mode !== MUTED && isRoot(n.type, registry)));
  if (!isTraining) return out;
  const walk = new Walk(graph, out);
  for (const node of graph.nodes) if (node.mode !== MUTED && node.mode !== BYPASSED && isRoot(node.type, registry)) walk.root(node.id);
  if (place !== null) for (const link of graph.links) if (sameId(link.target_id, OUTPUT_NODE)) walk.follow(link.id);
  return out;
}

/** A training, or what differentiates for show. */
function isRoot(type: string, registry: Registry): boolean {
  const node = registry.node(type);
  return SCORES.has(type) || (node?.stop === "finish" && node.category === "train");
}

class Walk {
  readonly #graph: DocGraph;
  readonly #out: Map<string, Flow>;

  constructor(graph: DocGraph, out: Map<string, Flow>) {
    this.#graph = graph;
    this.#out = out;
  }

  root(id: Id): void {
    const node = nodeById(this.#graph, id);
    if (!node) return;
    const types = new Set(node.inputs.filter((i) => i.link !== null).map((i) => typeName(i.type)));
    // Where a model is trained without a reward, its loss is in latents: they are made once.
    const isEncodingOnly = types.has("MODEL") && !types.has("REWARD") && node.inputs.some((i) => i.name === "reward");
    for (const input of node.inputs) {
      if (input.link === null) continue;
      if (isEncodingOnly && typeName(input.type) === "VAE")
        this.#stop(input.link, "Without a reward the pictures are only encoded: nothing is decoded, and nothing flows back.");
      else this.follow(input.link);
    }
  }

  /** From the end of a link up. */
  follow(id: Id): void {
    const link = linkById(this.#graph, id);
    if (!link) return;
    const source = nodeById(this.#graph, link.origin_id);
    const type = outputType(this.#graph, { node: link.origin_id, slot: link.origin_slot }) ?? typeName(link.type);
    const named = type === "*" ? typeName(link.type) : type;
    const reading = source && READINGS[source.type];
    if (source?.mode === MUTED) return;
    if (reading !== undefined && source?.mode !== BYPASSED) this.#stop(id, reading);
    else if (FUNCTIONS.has(named) || (source?.type === "Reroute" && named === "*")) this.#carry(id, link.origin_id);
    else {
      const why = CONSTANTS[named];
      if (why !== undefined) this.#stop(id, why);
    }
  }

  #carry(id: Id, origin: Id): void {
    const key = String(id);
    if (this.#out.get(key)?.carries) return;
    this.#out.set(key, { carries: true });
    if (sameId(origin, INPUT_NODE)) return;
    for (const input of nodeById(this.#graph, origin)?.inputs ?? []) if (input.link !== null) this.follow(input.link);
  }

  #stop(id: Id, reason: string): void {
    // What carries for one of its readers, carries.
    if (!this.#out.has(String(id))) this.#out.set(String(id), { carries: false, reason });
  }
}
