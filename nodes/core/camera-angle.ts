import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./camera-angle.node.ts";

/** From the front, turning to the subject's right, 45° each. */
const VIEWS = [
  "front view",
  "front-right quarter view",
  "right side view",
  "back-right quarter view",
  "back view",
  "back-left quarter view",
  "left side view",
  "front-left quarter view",
];
/** Below which value each word stands. */
const HEIGHTS = [
  [-15, "low-angle shot"],
  [15, "eye-level shot"],
  [45, "elevated shot"],
  [Number.POSITIVE_INFINITY, "high-angle shot"],
] as const;
const DISTANCES = [
  [2, "wide shot"],
  [6, "medium shot"],
  [Number.POSITIVE_INFINITY, "close-up"],
] as const;
/** From the subject, which is 1 wide, to the camera. */
const DISTANCE = 6;

export default implementNode(declaration, {
  run({ horizontal_angle, vertical_angle, zoom }) {
    const sector = Math.floor(((horizontal_angle % 360) + 22.5) / 45) % VIEWS.length;
    const word = (value: number, terms: readonly (readonly [below: number, term: string])[]) =>
      terms.find(([below]) => value < below)?.[1] ?? "";
    const [yaw, pitch] = [(horizontal_angle * Math.PI) / 180, (vertical_angle * Math.PI) / 180];
    return {
      prompt: [VIEWS[sector], word(vertical_angle, HEIGHTS), word(zoom, DISTANCES)].join(" "),
      camera_info: {
        position: {
          x: DISTANCE * Math.cos(pitch) * Math.sin(yaw),
          y: DISTANCE * Math.sin(pitch),
          z: DISTANCE * Math.cos(pitch) * Math.cos(yaw),
        },
        target: { x: 0, y: 0, z: 0 },
        zoom: 1 + 0.0875 * zoom,
        cameraType: "perspective" as const,
        fov: 35,
      },
    };
  },
});
