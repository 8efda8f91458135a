// Every node there is, by hand: what is served is what is imported. One import and one entry per node, in the order of the palette.
import type { AnyNode } from "../engine/node/define-node.ts";
import comfySwitchNode from "./core/comfy-switch-node.ts";
import previewAny from "./core/preview-any.ts";
import primitiveBoolean from "./core/primitive-boolean.ts";
import primitiveFloat from "./core/primitive-float.ts";
import primitiveInt from "./core/primitive-int.ts";
import primitiveString from "./core/primitive-string.ts";
import primitiveStringMultiline from "./core/primitive-string-multiline.ts";

export const nodes: readonly AnyNode[] = [
  // core
  primitiveInt,
  primitiveFloat,
  primitiveBoolean,
  primitiveString,
  primitiveStringMultiline,
  comfySwitchNode,
  previewAny,
];
