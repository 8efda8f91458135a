import { z } from "zod";
import { declareNode, optional, widget } from "../../engine/node/define-node.ts";
import { IMAGE, LOAD3D_CAMERA, STRING } from "../shared/contracts/sockets.ts";

export default declareNode({
  type: "CameraAngle",
  version: "1.0.0",
  category: "3d",
  summary: "The words for a camera's place, as LoRAs for several angles were trained on, and that place.",
  inputs: {
    horizontal_angle: widget(z.int().min(0).max(360).default(0), {
      tooltip: "Degrees round the subject: 0 front, 90 its right side, 180 back.",
    }),
    vertical_angle: widget(z.int().min(-30).max(60).default(0), { tooltip: "Degrees above (or, negative, below) the subject." }),
    zoom: widget(z.number().min(0).max(10).default(5), { step: 0.1, tooltip: "0 is a wide shot, 10 a close-up." }),
    image: optional(IMAGE, "For ComfyUI's preview only."),
    view: widget(z.string().default(""), { tooltip: "What ComfyUI's preview shows: it changes nothing." }),
  },
  outputs: { camera_info: LOAD3D_CAMERA, prompt: STRING },
  cache: "pure",
});
