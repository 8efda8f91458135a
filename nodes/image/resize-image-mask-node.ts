import { AppError } from "../../engine/base/errors.ts";
import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { longerSide, type PictureSize } from "../shared/pictures/resize/size.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./resize-image-mask-node.node.ts";

export default implementNode(declaration, {
  run(inputs) {
    const given = inputs.input;
    const isMask = given.shape.length === 3;
    const [batch = 0, h = 0, w = 0] = given.shape;
    const image = isMask ? f32([batch, h, w, 1], given.data) : given;
    const sized = (size: PictureSize | null, crop: "disabled" | "center" = "disabled") => {
      if (!size) return { resized: given };
      const out = upscale(image, size, inputs.scale_method, crop);
      return { resized: isMask ? f32(out.shape.slice(0, 3), out.data) : out };
    };
    const dimensions = (width: number, height: number): PictureSize | null =>
      width === 0 && height === 0
        ? null
        : {
            width: width || Math.max(1, roundHalfEven((w * height) / h)),
            height: height || Math.max(1, roundHalfEven((h * width) / w)),
          };
    const {
      "resize_type.width": width,
      "resize_type.height": height,
      "resize_type.crop": crop,
      "resize_type.multiplier": times,
      "resize_type.multiple": multiple,
      "resize_type.megapixels": megapixels,
      "resize_type.shorter_size": shorter,
      "resize_type.match": match,
    } = inputs;
    switch (inputs.resize_type) {
      case "scale by multiplier":
        return sized({ width: roundHalfEven(w * times), height: roundHalfEven(h * times) });
      case "scale dimensions":
        return sized(dimensions(width, height), crop);
      case "scale width":
        return sized(dimensions(width, 0));
      case "scale height":
        return sized(dimensions(0, height));
      case "scale longer dimension":
        return sized(longerSide(given.shape, inputs["resize_type.longer_size"]));
      case "scale shorter dimension":
        return sized(
          h < w
            ? { width: roundHalfEven((w / h) * shorter), height: shorter }
            : { width: shorter, height: roundHalfEven((h / w) * shorter) },
        );
      case "scale total pixels": {
        const scale = Math.sqrt(Math.trunc(megapixels * 2 ** 20) / (w * h));
        const side = (n: number): number => Math.max(1, roundHalfEven((n * scale) / multiple)) * multiple;
        return sized({ width: side(w), height: side(h) });
      }
      case "match size": {
        if (!match)
          throw new AppError("RESIZE_MATCH", "nothing is connected to resize_type.match", {
            hint: "connect the picture that has the size",
          });
        return sized({ width: match.shape[2] ?? 0, height: match.shape[1] ?? 0 }, crop);
      }
      case "scale to multiple":
        return toMultiple();
    }

    /** Scales to cover the next smaller multiples and cuts the excess, centred. */
    function toMultiple() {
      const [tw, th] = [w - (w % multiple), h - (h % multiple)];
      if (tw === 0 || th === 0 || (tw === w && th === h)) return { resized: given };
      const wide = tw / w >= th / h;
      const cover = wide
        ? { width: tw, height: Math.max(th, Math.ceil((h * tw) / w)) }
        : { width: Math.max(tw, Math.ceil((w * th) / h)), height: th };
      const { resized } = sized(cover);
      const channels = isMask ? 1 : (given.shape[3] ?? 0);
      const [top, left] = [(cover.height - th) >> 1, (cover.width - tw) >> 1];
      const out = new Float32Array(batch * th * tw * channels);
      for (let b = 0; b < batch; b++)
        for (let y = 0; y < th; y++) {
          const from = ((b * cover.height + y + top) * cover.width + left) * channels;
          out.set(resized.data.subarray(from, from + tw * channels), (b * th + y) * tw * channels);
        }
      return { resized: f32(isMask ? [batch, th, tw] : [batch, th, tw, channels], out) };
    }
  },
});
