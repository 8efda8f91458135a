import { implementNode } from "../../engine/node/define-node.ts";
import { longerSide } from "../shared/pictures/resize/size.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./image-scale-to-max-dimension.node.ts";

export default implementNode(declaration, {
  run: ({ image, upscale_method, largest_size }) => ({
    IMAGE: upscale(image, longerSide(image.shape, largest_size), upscale_method, "disabled"),
  }),
});
