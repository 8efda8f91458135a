// What each node of index.ts does, for the compute process: it loads sharp, kernels and models, so nothing else imports it.
import type { AnyNode } from "../engine/node/define-node.ts";
import comfySwitchNode from "./core/comfy-switch-node.ts";
import previewAny from "./core/preview-any.ts";
import primitiveBoolean from "./core/primitive-boolean.ts";
import primitiveFloat from "./core/primitive-float.ts";
import primitiveInt from "./core/primitive-int.ts";
import primitiveString from "./core/primitive-string.ts";
import primitiveStringMultiline from "./core/primitive-string-multiline.ts";
import saveTensors from "./core/save-tensors.ts";
import folderDataset from "./data/folder-dataset.ts";
import renderedPeopleDataset from "./data/rendered-people-dataset.ts";
import renderedScenesDataset from "./data/rendered-scenes-dataset.ts";
import cfgNorm from "./diffusion/cfg-norm.ts";
import conditioningZeroOut from "./diffusion/conditioning-zero-out.ts";
import emptySd3LatentImage from "./diffusion/empty-sd3-latent-image.ts";
import fluxKontextMultiReferenceLatentMethod from "./diffusion/flux-kontext-multi-reference-latent-method.ts";
import ksampler from "./diffusion/ksampler.ts";
import modelSamplingAuraFlow from "./diffusion/model-sampling-aura-flow.ts";
import referenceLatent from "./diffusion/reference-latent.ts";
import vaeDecode from "./diffusion/vae-decode.ts";
import vaeDecodeTiled from "./diffusion/vae-decode-tiled.ts";
import vaeEncode from "./diffusion/vae-encode.ts";
import blend from "./eval/blend.ts";
import compareMetrics from "./eval/compare-metrics.ts";
import copyPaste from "./eval/copy-paste.ts";
import countAccuracy from "./eval/count-accuracy.ts";
import idConf from "./eval/id-conf.ts";
import idSim from "./eval/id-sim.ts";
import saveMetrics from "./eval/save-metrics.ts";
import swapRate from "./eval/swap-rate.ts";
import faceCrop from "./faces/face-crop.ts";
import faceDetect from "./faces/face-detect.ts";
import faceDetectorLoader from "./faces/face-detector-loader.ts";
import faceEmbed from "./faces/face-embed.ts";
import faceEncoderLoader from "./faces/face-encoder-loader.ts";
import faceEncoderOnnx from "./faces/face-encoder-onnx.ts";
import faceLandmarks from "./faces/face-landmarks.ts";
import fluxKontextImageScale from "./image/flux-kontext-image-scale.ts";
import imageBatch from "./image/image-batch.ts";
import imageScale from "./image/image-scale.ts";
import imageScaleToTotalPixels from "./image/image-scale-to-total-pixels.ts";
import imageStitch from "./image/image-stitch.ts";
import loadImage from "./image/load-image.ts";
import previewImage from "./image/preview-image.ts";
import saveImage from "./image/save-image.ts";
import loraLoaderModelOnly from "./lora/lora-loader-model-only.ts";
import saveLora from "./lora/save-lora.ts";
import drawMatches from "./matching/draw-matches.ts";
import faceSimilarity from "./matching/face-similarity.ts";
import hungarianMatch from "./matching/hungarian-match.ts";
import mimr from "./matching/mimr.ts";
import sir from "./matching/sir.ts";
import applyOnnx from "./onnx/apply-onnx.ts";
import loadOnnx from "./onnx/load-onnx.ts";
import onnxReward from "./onnx/onnx-reward.ts";
import clipLoader from "./qwen/clip-loader.ts";
import qwenImageEditSampler from "./qwen/qwen-image-edit-sampler.ts";
import textEncodeQwenImageEdit from "./qwen/text-encode-qwen-image-edit.ts";
import textEncodeQwenImageEditDiffusers from "./qwen/text-encode-qwen-image-edit-diffusers.ts";
import textEncodeQwenImageEditPlus from "./qwen/text-encode-qwen-image-edit-plus.ts";
import unetLoader from "./qwen/unet-loader.ts";
import vaeLoader from "./qwen/vae-loader.ts";
import capReward from "./rewards/cap-reward.ts";
import countReward from "./rewards/count-reward.ts";
import evaluateReward from "./rewards/evaluate-reward.ts";
import gateReward from "./rewards/gate-reward.ts";
import hingeReward from "./rewards/hinge-reward.ts";
import identityLoss from "./rewards/identity-loss.ts";
import layoutReward from "./rewards/layout-reward.ts";
import mimrReward from "./rewards/mimr-reward.ts";
import normalizeReward from "./rewards/normalize-reward.ts";
import sirReward from "./rewards/sir-reward.ts";
import weightedSumReward from "./rewards/weighted-sum-reward.ts";
import evaluateEdits from "./train/evaluate-edits.ts";
import pretrainTransformer from "./train/pretrain/pretrain-transformer.ts";
import pretrainVae from "./train/pretrain/pretrain-vae.ts";
import trainRerefl from "./train/train-rerefl.ts";

export const implementations: readonly AnyNode[] = [
  // core
  primitiveInt,
  primitiveFloat,
  primitiveBoolean,
  primitiveString,
  primitiveStringMultiline,
  comfySwitchNode,
  previewAny,
  saveTensors,
  // image
  fluxKontextImageScale,
  imageBatch,
  imageScaleToTotalPixels,
  imageScale,
  imageStitch,
  loadImage,
  previewImage,
  saveImage,
  // qwen
  unetLoader,
  modelSamplingAuraFlow,
  cfgNorm,
  ksampler,
  qwenImageEditSampler,
  emptySd3LatentImage,
  referenceLatent,
  fluxKontextMultiReferenceLatentMethod,
  conditioningZeroOut,
  clipLoader,
  textEncodeQwenImageEditDiffusers,
  textEncodeQwenImageEditPlus,
  textEncodeQwenImageEdit,
  vaeDecodeTiled,
  vaeDecode,
  vaeEncode,
  vaeLoader,
  // lora
  loraLoaderModelOnly,
  saveLora,
  // faces
  faceDetectorLoader,
  faceDetect,
  faceLandmarks,
  faceCrop,
  faceEncoderLoader,
  faceEncoderOnnx,
  faceEmbed,
  // matching
  faceSimilarity,
  hungarianMatch,
  drawMatches,
  sir,
  mimr,
  // rewards
  sirReward,
  mimrReward,
  identityLoss,
  countReward,
  layoutReward,
  weightedSumReward,
  capReward,
  hingeReward,
  gateReward,
  normalizeReward,
  evaluateReward,
  // data
  folderDataset,
  renderedPeopleDataset,
  renderedScenesDataset,
  // train
  evaluateEdits,
  trainRerefl,
  pretrainTransformer,
  pretrainVae,
  // eval
  idSim,
  idConf,
  countAccuracy,
  swapRate,
  copyPaste,
  blend,
  saveMetrics,
  compareMetrics,
  // onnx
  applyOnnx,
  loadOnnx,
  onnxReward,
];
