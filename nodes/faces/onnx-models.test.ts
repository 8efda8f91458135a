// Users' .onnx files: a detector and encoders made here whose answers are known in advance.
import { describe, expect, it } from "vitest";
import { grad } from "../../engine/autodiff/grad.ts";
import { AppError } from "../../engine/base/errors.ts";
import { randomSource } from "../../engine/base/random.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import type { Models } from "../../engine/node/context.ts";
import { emitOnnx } from "../../engine/onnx/emit.ts";
import { newBuilder, opRow } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import { faceModels } from "../../test/face-models.ts";
import type { Face, Image } from "../shared/contracts/data.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { iou } from "./box.ts";
import faceDetectorLoader from "./face-detector-loader.ts";
import { loadOnnxDetector } from "./onnx-detector.ts";
import { loadOnnxEncoder } from "./onnx-encoder.ts";

const compute = createRuntime({ device: "cpu" });

/** A model folder with one .onnx file in it, besides the embedded ones. */
function withOnnx(shape: readonly number[], build: (b: Builder, x: Value) => Readonly<Record<string, Value>>): Models {
  const b = newBuilder();
  const { model } = emitOnnx(b.graph(build(b, b.input("data", "float32", shape))), opRow);
  return { ...faceModels, bytes: async () => ({ bytes: model, path: "/models/faces/user.onnx", fingerprint: "user" }) };
}

/**
 * An SCRFD that takes red areas for faces: the score of a cell is how red it is, its box reaches one stride to each side, its points lie
 * 1, 2, 3, 4 and 5 pixels to the right.
 */
function redDetector(size: number, points: boolean): Models {
  return withOnnx([1, 3, size, size], (b, x) => {
    const red = b.sub(b.slice(x, 1, 0, 1), b.max(b.slice(x, 1, 1, 2), b.slice(x, 1, 2, 3)));
    const outputs: [string, Value][] = [];
    for (const stride of [8, 16, 32]) {
      const cells = (size / stride) ** 2;
      const mean = b.one("AveragePool", [red], { kernel_shape: [stride, stride], strides: [stride, stride], pads: [0, 0, 0, 0] });
      const first = b.reshape(b.sigmoid(b.mul(b.sub(mean, 1), 20)), [cells, 1, 1]);
      outputs.push([`score_${stride}`, b.reshape(b.concat([first, b.mul(first, 0)], 1), [2 * cells, 1])]);
      const zero = b.mul(b.reshape(b.concat([first, first], 1), [2 * cells, 1]), 0);
      outputs.push([`bbox_${stride}`, b.add(b.expand(zero, [2 * cells, 4]), 1)]);
      const offsets = f32(
        [1, 10],
        [1, 0, 2, 0, 3, 0, 4, 0, 5, 0].map((p) => p / stride),
      );
      if (points) outputs.push([`kps_${stride}`, b.add(b.expand(zero, [2 * cells, 10]), b.constant(offsets))]);
    }
    return Object.fromEntries(outputs);
  });
}

/** A grey picture with a red square. */
function scene(height: number, width: number, [x0, y0, x1, y1]: readonly [number, number, number, number]): Image {
  const data = new Float32Array(height * width * 3).fill(0.4);
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) data.set([1, 0, 0], (y * width + x) * 3);
  return f32([1, height, width, 3], data);
}

describe("a user's SCRFD", () => {
  it.each([true, false])("finds what its outputs say, in picture coordinates (keypoints: %s)", async (points) => {
    const detector = await loadOnnxDetector(redDetector(128, points), "user.onnx", 640);
    // 400 px wide: 3.125 picture pixels for one of the network's. The square covers one cell of stride 32: columns 2, row 1.
    const square = [200, 100, 300, 200] as const;
    const faces = await detector.detect(compute, scene(240, 400, square), {});
    const [large] = [...faces].sort((p, q) => q.box[2] - q.box[0] - (p.box[2] - p.box[0]));
    expect(large?.box).toEqual([100, 0, 300, 200].map((v) => expect.closeTo(v, 3)));
    expect(large?.score).toBeGreaterThan(0.99);
    if (points) expect(large?.points5[4]).toEqual([expect.closeTo(200 + 5 * 3.125 + 0.5, 3), expect.closeTo(100.5, 3)]);
    else expect(large?.points68).toHaveLength(68);
    expect(Math.max(...faces.map((f) => iou(f.box, square)))).toBeGreaterThan(0.1);
    expect(await detector.detect(compute, scene(240, 400, [0, 0, 0, 0]), {})).toEqual([]);
    expect(await detector.detect(compute, scene(240, 400, square), { maxFaces: 1 })).toEqual([large]);
  });

  it("is opened by its loader when it is a YuNet: blue first, colours of 0..255", async () => {
    const size = 64;
    const yunet = withOnnx([1, 3, size, size], (b, x) => {
      const outputs: [string, Value][] = [];
      for (const kind of ["cls", "obj", "bbox", "kps"])
        for (const stride of [8, 16, 32]) {
          const cells = (size / stride) ** 2;
          // How red a cell is: the last channel less the first.
          const red = b.div(b.sub(b.slice(x, 1, 2, 3), b.slice(x, 1, 0, 1)), 255);
          const mean = b.one("AveragePool", [red], { kernel_shape: [stride, stride], strides: [stride, stride], pads: [0, 0, 0, 0] });
          const score = b.reshape(mean, [1, cells, 1]);
          if (kind === "cls" || kind === "obj") outputs.push([`${kind}_${stride}`, score]);
          else outputs.push([`${kind}_${stride}`, b.mul(b.expand(score, [1, cells, kind === "bbox" ? 4 : 10]), 0)]);
        }
      return Object.fromEntries(outputs);
    });
    const run = Reflect.apply(faceDetectorLoader.run, undefined, [{ detector_name: "yunet.onnx", input_size: 640 }, { models: yunet }, {}]);
    const { FACE_DETECTOR: detector } = await Promise.resolve(run);
    // One cell of stride 32: offsets of 0 put the middle of a box of 32 pixels into the cell's corner.
    const faces: Face[] = await detector.detect(compute, scene(64, 64, [32, 0, 64, 32]), { minScore: 0.9, minSize: 30 });
    expect(faces).toEqual([expect.objectContaining({ box: [16, -16, 48, 16].map((v) => expect.closeTo(v, 3)) })]);
    expect(faces[0]?.score).toBeCloseTo(1, 5);
  });

  it("may be declared NHWC, or not say which it is", async () => {
    const plain = (b: Builder, x: Value) => ({
      v: b.reshape(b.slice(b.reshape(b.transpose(x, [0, 3, 1, 2]), [3 * 256]), 0, 0, 64), [1, 64]),
    });
    const known = await loadOnnxEncoder(withOnnx([1, 16, 16, 3], plain), "user.onnx");
    expect([known.size, known.dim]).toEqual([16, 64]);
  });

  it("is refused when it is something else", async () => {
    const classifier = withOnnx([1, 3, 64, 64], (b, x) => ({ logits: b.mean(x, [2, 3], false) }));
    await expect(loadOnnxDetector(classifier, "user.onnx", 640)).rejects.toMatchObject({
      code: "FACE_DETECTOR_FORMAT",
      message: expect.stringMatching(/user\.onnx is no face detector that is known: for 64 × 64 pixels it gives \[1, 3\]/),
      hint: expect.stringMatching(/expected SCRFD .* YuNet .* RetinaFace/),
    });
    // A network for crops of 112 pixels with a dynamic declaration, as encoders have it: 640 pixels do not fit its last layer.
    const encoder = withOnnx([1, 3, 112, 112], (b, x) => ({
      v: b.matmul(b.reshape(x, [1, 3 * 112 * 112]), b.mul(b.reshape(x, [3 * 112 * 112, 1]), 1)),
    }));
    await expect(loadOnnxDetector(encoder, "user.onnx", 640)).rejects.toMatchObject({ code: "FACE_DETECTOR_FORMAT" });
    const flat = withOnnx([1, 10], (b, x) => ({ y: b.relu(x) }));
    await expect(loadOnnxDetector(flat, "user.onnx", 640)).rejects.toThrow(/one input of four dimensions/);
    const torn: Models = { ...faceModels, bytes: async () => ({ bytes: Uint8Array.of(1, 2, 3), path: "/x.onnx", fingerprint: "x" }) };
    await expect(loadOnnxDetector(torn, "user.onnx", 640)).rejects.toBeInstanceOf(AppError);
  });

  it("is told apart from files that are no detector at all", async () => {
    const models = { models: faceModels };
    const run = (detector_name: string): Promise<unknown> =>
      Promise.resolve(Reflect.apply(faceDetectorLoader.run, undefined, [{ detector_name, input_size: 640 }, models, {}]));
    await expect(run("dlib128.safetensors")).rejects.toThrow(/not a face detector/);
    await expect(run("blazeface.safetensors")).resolves.toHaveProperty("FACE_DETECTOR");
  });
});

describe("a user's encoder", () => {
  /** Mean colour, and the red of the pixel where ArcFace's right eye belongs. */
  const probe = (b: Builder, x: Value): Readonly<Record<string, Value>> => {
    const eye = b.reshape(b.slice(b.slice(b.slice(x, 1, 0, 1), 2, 51, 52), 3, 73, 74), [x.shape[0] ?? 0, 1]);
    return { embedding: b.concat([b.mean(x, [2, 3], false), eye], 1) };
  };
  const points5: Face["points5"] = [
    [80, 60],
    [150, 60],
    [115, 100],
    [86, 141],
    [144, 141],
  ];
  const face: Face = { box: [50, 20, 180, 180], score: 1, points5 };
  const faces = (image: Image) => ({ images: image, faces: [[face]] });
  /** Blue, with a red spot at the right eye. */
  const picture = (): Image => {
    const image = scene(200, 240, [144, 54, 157, 67]);
    for (let i = 0; i < image.data.length; i += 3) if (image.data[i] !== 1) image.data.set([0, 0, 1], i);
    return image;
  };

  it("sees ArcFace's crop: aligned, RGB, −1..1", async () => {
    const encoder = await loadOnnxEncoder(withOnnx([1, 3, 112, 112], probe), "user.onnx", { minDim: 4 });
    expect([encoder.size, encoder.dim, encoder.comparison]).toEqual([112, 4, { kind: "cosine", threshold: 0.35 }]);
    const { vectors } = await embedFaces(compute, encoder, faces(picture()));
    const [red, green, blue, eye] = vectors.data;
    expect(eye).toBeCloseTo(1, 4);
    expect(red).toBeLessThan(-0.9);
    expect(green).toBeCloseTo(-1, 4);
    // A fifth of the crop lies outside the picture and is black.
    expect(blue).toBeGreaterThan(0.5);
  });

  it("takes BGR, other means, NHWC and more crops than the file's batch", async () => {
    const nchw = await loadOnnxEncoder(withOnnx([1, 3, 112, 112], probe), "user.onnx", { color: "BGR", mean: 0, std: 255, minDim: 4 });
    const nhwc = await loadOnnxEncoder(
      withOnnx([1, 112, 112, 3], (b, x) => probe(b, b.transpose(x, [0, 3, 1, 2]))),
      "user.onnx",
      { color: "BGR", mean: 0, std: 255, minDim: 4 },
    );
    const shape = [2, 3, 112, 112];
    const crops = f32(shape, randomSource(4).normals(new Float32Array(2 * 3 * 112 * 112)));
    for (const encoder of [nchw, nhwc]) {
      const b = newBuilder();
      const x = b.input("x", "float32", shape);
      const y = encoder.build(b, x);
      const [slope] = grad(b, b.sum(b.slice(y, 1, 3, 4), [], false), [x]);
      if (!slope) throw new Error("no gradient");
      const results = await compute.run(b.graph({ y, slope }), { x: crops });
      if (!results.y || !results.slope) throw new Error("no results");
      const [values, gradient] = [expectDType(results.y, "float32", "y"), expectDType(results.slope, "float32", "slope")];
      const blueEye = (row: number): number => ((row * 3 + 2) * 112 + 51) * 112 + 73;
      expect(values[3]).toBeCloseTo(crops.data[blueEye(0)] ?? Number.NaN, 4);
      expect(values[7]).toBeCloseTo(crops.data[blueEye(1)] ?? Number.NaN, 4);
      expect(gradient[blueEye(1)]).toBeCloseTo(1, 5);
      expect(gradient.reduce((sum, g) => sum + Math.abs(g), 0)).toBeCloseTo(2, 4);
    }
  });

  it("follows its template and size", async () => {
    const models = withOnnx([1, 3, 160, 160], (b, x) => ({ v: b.mean(x, [2, 3], false) }));
    const dlib = await loadOnnxEncoder(models, "user.onnx", { template: "dlib", comparison: "l2", threshold: 1.1, minDim: 3 });
    expect(dlib.comparison).toMatchObject({ kind: "l2", threshold: 1.1 });
    const [a, , , c] = dlib.alignment(face);
    expect(Math.hypot(a, c) * 70).toBeGreaterThan(45);
    expect(Math.hypot(a, c) * 70).toBeLessThan(65);
    const arcface = await loadOnnxEncoder(models, "user.onnx", { minDim: 3 });
    const [p, , , q] = arcface.alignment(face);
    expect(Math.hypot(p, q) * 70).toBeCloseTo((35.2 * 160) / 112, -1);
  });

  it("is refused when it gives no vector of a face's length, with what it gives", async () => {
    const refused: readonly (readonly [Models, RegExp])[] = [
      [withOnnx([1, 3, 16, 16], (b, x) => ({ v: b.sum(x) })), /its vector has 1 number/],
      [
        withOnnx([1, 3, 16, 16], (b, x) => ({ box: b.reshape(b.slice(b.reshape(x, [768]), 0, 0, 4), [1, 4]) })),
        /has 4 numbers \(\[1, 4\]\)/,
      ],
      [withOnnx([1, 3, 16, 16], (b, x) => ({ map: b.mul(x, 2) })), /its first output is \[1, 3, 16, 16\]/],
      [redDetector(64, true), /its first output is \[128, 1\]/],
    ];
    for (const [models, message] of refused)
      await expect(loadOnnxEncoder(models, "user.onnx")).rejects.toMatchObject({
        code: "FACE_ENCODER_OUTPUT",
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/at least 32 numbers/),
      });
    const short = withOnnx([1, 3, 16, 16], (b, x) => ({ v: b.mean(x, [2, 3], false) }));
    await expect(loadOnnxEncoder(short, "user.onnx", { minDim: 3 })).resolves.toHaveProperty("dim", 3);
  });

  it("normalises its colours itself: OpenCV's SFace and networks from MXNet", async () => {
    const raw = (mean: number, scale: number) =>
      withOnnx([1, 3, 112, 112], (b, x) => {
        const normal = b.mul(b.sub(x, b.constant(f32([1], [mean]))), scale);
        return { fc1: b.reshape(b.slice(b.slice(normal, 2, 0, 1), 3, 0, 128), [1, -1]) };
      });
    const crops = f32([1, 3, 112, 112], new Float32Array(3 * 112 * 112).fill(0.25));
    const seen = async (models: Models, options = {}) => {
      const encoder = await loadOnnxEncoder(models, "user.onnx", { minDim: 1, ...options });
      const b = newBuilder();
      const { y } = await compute.run(b.graph({ y: encoder.build(b, b.input("x", "float32", [1, 3, 112, 112])) }), { x: crops });
      return [y && expectDType(y, "float32", "y")[0], encoder] as const;
    };
    const wanted = (0.25 - 0.5) * 2;
    expect((await seen(raw(127.5, 1 / 127.5)))[0]).toBeCloseTo(wanted, 5);
    expect((await seen(raw(0.5, 2)))[0]).toBeCloseTo(wanted, 5);
    const warnings: string[] = [];
    await seen(raw(127.5, 1 / 127.5), { mean: 127.5, std: 127.5, warn: (m: string) => warnings.push(m) });
    expect(warnings).toEqual([expect.stringMatching(/subtracts 127\.5 from its input itself/)]);
    const sface = withOnnx([1, 3, 112, 112], (b, x) => ({
      fc1: b.reshape(b.slice(b.reshape(b.sub(x, b.constant(f32([1], [127.5]))), [3 * 112 * 112]), 0, 0, 128), [1, 128]),
    }));
    expect((await loadOnnxEncoder(sface, "face_recognition_sface.onnx")).comparison).toEqual({ kind: "cosine", threshold: 0.363 });
  });
});
