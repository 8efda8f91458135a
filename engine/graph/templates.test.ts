// The workflows ComfyUI publishes for Qwen-Image, against fake nodes with the same inputs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { comfyRegistry } from "../../test/fixtures/comfy-nodes.ts";
import { parseWorkflow } from "./parse-workflow.ts";
import { plan } from "./plan.ts";
import type { Prompt } from "./prompt.ts";
import { validate } from "./validate.ts";
import { workflowToPrompt } from "./workflow-to-prompt.ts";

const file = (name: string): string => readFileSync(join(import.meta.dirname, "../../test/golden/templates", name), "utf8");

function promptOf(text: string): Prompt {
  const parsed = parseWorkflow(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const result = workflowToPrompt(parsed.workflow, comfyRegistry);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.prompt;
}

describe("published templates", () => {
  const plannedIds = (prompt: Prompt): string[] => {
    const result = validate(prompt, comfyRegistry);
    if (!result.ok) throw new Error(JSON.stringify(result.issues));
    return plan(result.graph).steps.map((s) => s.id);
  };

  test("Qwen-Image-Edit: the bypassed LoRA is passed by", () => {
    const prompt = promptOf(file("image_qwen_image_edit.json"));
    expect(prompt["3"]).toEqual({
      class_type: "KSampler",
      inputs: {
        seed: 976480016588017,
        steps: 20,
        cfg: 2.5,
        sampler_name: "euler",
        scheduler: "simple",
        denoise: 1,
        model: ["75", 0],
        positive: ["76", 0],
        negative: ["77", 0],
        latent_image: ["88", 0],
      },
    });
    expect(prompt["66"]?.inputs).toEqual({ shift: 3, model: ["37", 0] });
    expect(prompt["78"]?.inputs).toEqual({ image: "Qwen-Image_00043_.png" });
    expect(prompt["89"]).toBeUndefined();
    expect(plannedIds(prompt)).toEqual(["37", "66", "75", "38", "39", "78", "93", "76", "77", "88", "3", "8", "60"]);
  });

  test("Qwen-Image-Edit 2509: bypassed pictures arrive nowhere, the unconnected latent does not run", () => {
    const prompt = promptOf(file("image_qwen_image_edit_2509.json"));
    expect(prompt["111"]?.inputs).toEqual({
      prompt: "Replace the cat with a dalmatian",
      clip: ["38", 0],
      vae: ["39", 0],
      image1: ["93", 0],
    });
    expect(prompt["3"]?.inputs).toMatchObject({ steps: 4, cfg: 1 });
    expect(prompt["66"]?.inputs.model).toEqual(["89", 0]);
    expect(prompt["112"]?.inputs).toEqual({ width: 1024, height: 1024, batch_size: 1 });
    expect(plannedIds(prompt)).not.toContain("112");
  });

  test("Qwen-Image", () => {
    const prompt = promptOf(file("image_qwen_image.json"));
    expect(prompt["66"]?.inputs.model).toEqual(["37", 0]);
    expect(prompt["58"]?.inputs).toEqual({ width: 1328, height: 1328, batch_size: 1 });
    expect(plannedIds(prompt)).toHaveLength(10);
  });

  test("a primitive out of range behind a switch gives way to the sampler's own steps (as in the 2511 template)", () => {
    const doc: { nodes: Record<string, unknown>[]; links: unknown[] } = JSON.parse(file("image_qwen_image_edit.json"));
    const link = (id: number, name: string, type: string, widgetName?: string) => ({
      name,
      type,
      link: id,
      ...(widgetName && { widget: { name: widgetName } }),
    });
    const turbo = (on: boolean): typeof doc => ({
      ...doc,
      nodes: [
        ...doc.nodes.map((n) =>
          n.id === 3 && Array.isArray(n.inputs) ? { ...n, inputs: [...n.inputs, link(903, "steps", "INT", "steps")] } : n,
        ),
        { id: 111, type: "PrimitiveInt", mode: 0, outputs: [{ type: "INT" }], widgets_values: [-980920974728256, "randomize"] },
        { id: 112, type: "PrimitiveInt", mode: 0, outputs: [{ type: "INT" }], widgets_values: [4, "fixed"] },
        { id: 113, type: "PrimitiveBoolean", mode: 0, outputs: [{ type: "BOOLEAN" }], widgets_values: [on] },
        {
          id: 114,
          type: "ComfySwitchNode",
          mode: 0,
          inputs: [link(900, "on_false", "*"), link(901, "on_true", "*"), link(902, "switch", "BOOLEAN", "switch")],
          outputs: [{ type: "*" }],
          widgets_values: [false],
        },
      ],
      links: [
        ...doc.links,
        [900, 111, 0, 114, 0, "INT"],
        [901, 112, 0, 114, 1, "INT"],
        [902, 113, 0, 114, 2, "BOOLEAN"],
        [903, 114, 0, 3, 4, "INT"],
      ],
    });
    const off = promptOf(JSON.stringify(turbo(false)));
    expect(off["3"]?.inputs.steps).toBe(20);
    expect(plannedIds(off)).toHaveLength(13);
    const on = promptOf(JSON.stringify(turbo(true)));
    expect(on["3"]?.inputs.steps).toEqual(["114", 0]);
    const valid = validate(on, comfyRegistry);
    expect(valid.ok && valid.graph.nodes.get("3")?.widgets.steps).toBe(4);
  });
});
