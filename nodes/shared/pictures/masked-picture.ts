import sharp from "sharp";
import { type ColorProfile, decodePicture, withAlpha } from "./codec.ts";

/**
 * A picture with another transparency, as PNG: clear where the mask is white, as ComfyUI's mask editor saves it. The colours behind it stay as they
 * are, byte for byte.
 * @param mask a picture of any size, stretched over the first; its red counts, and what is transparent in it does not mask
 * @throws AppError as {@link decodePicture}
 */
export async function maskedPicture(bytes: Uint8Array, name: string, mask: Uint8Array, profile: ColorProfile): Promise<Uint8Array> {
  const { rgb, width, height } = await decodePicture(bytes, name, profile);
  const painted = await decodePicture(mask, "the mask");
  const strength = new Uint8Array(painted.width * painted.height);
  for (let i = 0; i < strength.length; i++) strength[i] = Math.round(((painted.rgb[3 * i] ?? 0) * (painted.alpha?.[i] ?? 255)) / 255);
  const stretched = await sharp(strength, { raw: { width: painted.width, height: painted.height, channels: 1 } })
    .resize(width, height, { fit: "fill" })
    .extractChannel(0)
    .raw()
    .toBuffer();
  const rgba = withAlpha(
    rgb,
    stretched.map((m) => 255 - m),
  );
  return sharp(rgba, { raw: { width, height, channels: 4 } })
    .png({ compressionLevel: 4 })
    .toBuffer();
}
