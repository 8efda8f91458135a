// The body of each node of index.ts, for the compute process: it loads sharp, kernels and models, so nothing else imports it.

import type { AnyNode } from "../engine/node/define-node.ts";
import cameraAngle from "./core/camera-angle.ts";
import comfySwitchNode from "./core/comfy-switch-node.ts";
import previewAny from "./core/preview-any.ts";
import primitiveBoolean from "./core/primitive-boolean.ts";
import primitiveFloat from "./core/primitive-float.ts";
import primitiveInt from "./core/primitive-int.ts";
import primitiveString from "./core/primitive-string.ts";
import primitiveStringMultiline from "./core/primitive-string-multiline.ts";
import resolutionSelector from "./core/resolution-selector.ts";
import saveTensors from "./core/save-tensors.ts";
import stringConcatenate from "./core/string-concatenate.ts";
import clipsDataset from "./data/clips-dataset.ts";
import datasetReport from "./data/dataset-report.ts";
import filterDataset from "./data/filter-dataset.ts";
import folderDataset from "./data/folder-dataset.ts";
import mixDatasets from "./data/mix-datasets.ts";
import renderedPeopleDataset from "./data/rendered-people-dataset.ts";
import renderedScenesDataset from "./data/rendered-scenes-dataset.ts";
import basicGuider from "./diffusion/basic-guider.ts";
import basicScheduler from "./diffusion/basic-scheduler.ts";
import cfgGuider from "./diffusion/cfg-guider.ts";
import cfgNorm from "./diffusion/cfg-norm.ts";
import clipTextEncode from "./diffusion/clip-text-encode.ts";
import conditioningZeroOut from "./diffusion/conditioning-zero-out.ts";
import disableNoise from "./diffusion/disable-noise.ts";
import emptyLatentImage from "./diffusion/empty-latent-image.ts";
import emptySd3LatentImage from "./diffusion/empty-sd3-latent-image.ts";
import fluxKontextMultiReferenceLatentMethod from "./diffusion/flux-kontext-multi-reference-latent-method.ts";
import ksampler from "./diffusion/ksampler.ts";
import ksamplerSelect from "./diffusion/ksampler-select.ts";
import latentCut from "./diffusion/latent-cut.ts";
import manualSigmas from "./diffusion/manual-sigmas.ts";
import modelSamplingAuraFlow from "./diffusion/model-sampling-aura-flow.ts";
import randomNoise from "./diffusion/random-noise.ts";
import referenceLatent from "./diffusion/reference-latent.ts";
import samplerCustomAdvanced from "./diffusion/sampler-custom-advanced.ts";
import setLatentNoiseMask from "./diffusion/set-latent-noise-mask.ts";
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
import batchImagesNode from "./image/batch-images-node.ts";
import canny from "./image/canny.ts";
import fluxKontextImageScale from "./image/flux-kontext-image-scale.ts";
import getImageSize from "./image/get-image-size.ts";
import growMask from "./image/grow-mask.ts";
import imageBatch from "./image/image-batch.ts";
import imageBlur from "./image/image-blur.ts";
import imageCompare from "./image/image-compare.ts";
import imageCompositeMasked from "./image/image-composite-masked.ts";
import imageInvert from "./image/image-invert.ts";
import imagePadForOutpaint from "./image/image-pad-for-outpaint.ts";
import imageScale from "./image/image-scale.ts";
import imageScaleToMaxDimension from "./image/image-scale-to-max-dimension.ts";
import imageScaleToTotalPixels from "./image/image-scale-to-total-pixels.ts";
import imageStitch from "./image/image-stitch.ts";
import imageToMask from "./image/image-to-mask.ts";
import invertMask from "./image/invert-mask.ts";
import loadImage from "./image/load-image.ts";
import maskPreview from "./image/mask-preview.ts";
import maskToImage from "./image/mask-to-image.ts";
import previewImage from "./image/preview-image.ts";
import resizeImageMaskNode from "./image/resize-image-mask-node.ts";
import saveImage from "./image/save-image.ts";
import saveImageAdvanced from "./image/save-image-advanced.ts";
import loraFromFile from "./lora/lora-from-file.ts";
import loraLoader from "./lora/lora-loader.ts";
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
import checkpointLoaderSimple from "./qwen/checkpoint-loader-simple.ts";
import clipLoader from "./qwen/clip-loader.ts";
import qwenImageEditSampler from "./qwen/qwen-image-edit-sampler.ts";
import textEncodeQwenImageEdit from "./qwen/text-encode-qwen-image-edit.ts";
import textEncodeQwenImageEditDiffusers from "./qwen/text-encode-qwen-image-edit-diffusers.ts";
import textEncodeQwenImageEditPlus from "./qwen/text-encode-qwen-image-edit-plus.ts";
import unetLoader from "./qwen/unet-loader.ts";
import unetLoaderGguf from "./qwen/unet-loader-gguf.ts";
import vaeLoader from "./qwen/vae-loader.ts";
import measureRealism from "./realism/measure-realism.ts";
import preferenceDataset from "./realism/preference-dataset.ts";
import realVersusGenerated from "./realism/real-versus-generated.ts";
import realismBandsLoader from "./realism/realism-bands-loader.ts";
import realismPriors from "./realism/realism-priors.ts";
import realismReport from "./realism/realism-report.ts";
import realismReward from "./realism/realism-reward.ts";
import realismScorerLoader from "./realism/realism-scorer-loader.ts";
import capReward from "./rewards/cap-reward.ts";
import copyPasteReward from "./rewards/copy-paste-reward.ts";
import countReward from "./rewards/count-reward.ts";
import evaluateReward from "./rewards/evaluate-reward.ts";
import gateReward from "./rewards/gate-reward.ts";
import hingeReward from "./rewards/hinge-reward.ts";
import identityLoss from "./rewards/identity-loss.ts";
import layoutReward from "./rewards/layout-reward.ts";
import mimrReward from "./rewards/mimr-reward.ts";
import normalizeReward from "./rewards/normalize-reward.ts";
import scorePicture from "./rewards/score-picture.ts";
import sirReward from "./rewards/sir-reward.ts";
import weightedSumReward from "./rewards/weighted-sum-reward.ts";
import evaluateEdits from "./train/evaluate-edits.ts";
import pretrainTransformer from "./train/pretrain/pretrain-transformer.ts";
import pretrainVae from "./train/pretrain/pretrain-vae.ts";
import sampledPreferences from "./train/realism/sampled-preferences.ts";
import trainRealismReward from "./train/realism/train-realism-reward.ts";
import rewardBaseline from "./train/reward-baseline.ts";
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
  resolutionSelector,
  stringConcatenate,
  cameraAngle,
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
  invertMask,
  growMask,
  maskPreview,
  maskToImage,
  imageToMask,
  resizeImageMaskNode,
  saveImageAdvanced,
  imageCompare,
  batchImagesNode,
  imageCompositeMasked,
  imagePadForOutpaint,
  imageBlur,
  canny,
  imageScaleToMaxDimension,
  imageInvert,
  getImageSize,
  // qwen
  unetLoader,
  unetLoaderGguf,
  checkpointLoaderSimple,
  modelSamplingAuraFlow,
  cfgNorm,
  ksampler,
  latentCut,
  setLatentNoiseMask,
  samplerCustomAdvanced,
  manualSigmas,
  basicScheduler,
  cfgGuider,
  basicGuider,
  disableNoise,
  randomNoise,
  ksamplerSelect,
  emptyLatentImage,
  clipTextEncode,
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
  loraFromFile,
  loraLoaderModelOnly,
  loraLoader,
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
  scorePicture,
  sirReward,
  mimrReward,
  identityLoss,
  countReward,
  copyPasteReward,
  layoutReward,
  weightedSumReward,
  capReward,
  hingeReward,
  gateReward,
  normalizeReward,
  evaluateReward,
  // realism
  realismBandsLoader,
  measureRealism,
  realismPriors,
  realismReport,
  preferenceDataset,
  realVersusGenerated,
  realismScorerLoader,
  realismReward,
  sampledPreferences,
  trainRealismReward,
  // data
  clipsDataset,
  datasetReport,
  filterDataset,
  folderDataset,
  mixDatasets,
  renderedPeopleDataset,
  renderedScenesDataset,
  // train
  evaluateEdits,
  trainRerefl,
  rewardBaseline,
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
