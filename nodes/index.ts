// Every node there is, listed by hand: what is imported is what is served. One line here and one entry below per node, in the order of the palette.

import type { AnyDeclaration } from "../engine/node/define-node.ts";
import cameraAngle from "./core/camera-angle.node.ts";
import comfySwitchNode from "./core/comfy-switch-node.node.ts";
import previewAny from "./core/preview-any.node.ts";
import primitiveBoolean from "./core/primitive-boolean.node.ts";
import primitiveFloat from "./core/primitive-float.node.ts";
import primitiveInt from "./core/primitive-int.node.ts";
import primitiveString from "./core/primitive-string.node.ts";
import primitiveStringMultiline from "./core/primitive-string-multiline.node.ts";
import resolutionSelector from "./core/resolution-selector.node.ts";
import saveTensors from "./core/save-tensors.node.ts";
import stringConcatenate from "./core/string-concatenate.node.ts";
import clipsDataset from "./data/clips-dataset.node.ts";
import datasetReport from "./data/dataset-report.node.ts";
import filterDataset from "./data/filter-dataset.node.ts";
import folderDataset from "./data/folder-dataset.node.ts";
import mixDatasets from "./data/mix-datasets.node.ts";
import renderedPeopleDataset from "./data/rendered-people-dataset.node.ts";
import renderedScenesDataset from "./data/rendered-scenes-dataset.node.ts";
import basicGuider from "./diffusion/basic-guider.node.ts";
import basicScheduler from "./diffusion/basic-scheduler.node.ts";
import cfgGuider from "./diffusion/cfg-guider.node.ts";
import cfgNorm from "./diffusion/cfg-norm.node.ts";
import clipTextEncode from "./diffusion/clip-text-encode.node.ts";
import conditioningZeroOut from "./diffusion/conditioning-zero-out.node.ts";
import disableNoise from "./diffusion/disable-noise.node.ts";
import emptyLatentImage from "./diffusion/empty-latent-image.node.ts";
import emptySd3LatentImage from "./diffusion/empty-sd3-latent-image.node.ts";
import fluxKontextMultiReferenceLatentMethod from "./diffusion/flux-kontext-multi-reference-latent-method.node.ts";
import ksampler from "./diffusion/ksampler.node.ts";
import ksamplerSelect from "./diffusion/ksampler-select.node.ts";
import latentCut from "./diffusion/latent-cut.node.ts";
import manualSigmas from "./diffusion/manual-sigmas.node.ts";
import modelSamplingAuraFlow from "./diffusion/model-sampling-aura-flow.node.ts";
import randomNoise from "./diffusion/random-noise.node.ts";
import referenceLatent from "./diffusion/reference-latent.node.ts";
import samplerCustomAdvanced from "./diffusion/sampler-custom-advanced.node.ts";
import setLatentNoiseMask from "./diffusion/set-latent-noise-mask.node.ts";
import vaeDecode from "./diffusion/vae-decode.node.ts";
import vaeDecodeTiled from "./diffusion/vae-decode-tiled.node.ts";
import vaeEncode from "./diffusion/vae-encode.node.ts";
import blend from "./eval/blend.node.ts";
import compareMetrics from "./eval/compare-metrics.node.ts";
import copyPaste from "./eval/copy-paste.node.ts";
import countAccuracy from "./eval/count-accuracy.node.ts";
import idConf from "./eval/id-conf.node.ts";
import idSim from "./eval/id-sim.node.ts";
import saveMetrics from "./eval/save-metrics.node.ts";
import swapRate from "./eval/swap-rate.node.ts";
import faceCrop from "./faces/face-crop.node.ts";
import faceDetect from "./faces/face-detect.node.ts";
import faceDetectorLoader from "./faces/face-detector-loader.node.ts";
import faceEmbed from "./faces/face-embed.node.ts";
import faceEncoderLoader from "./faces/face-encoder-loader.node.ts";
import faceEncoderOnnx from "./faces/face-encoder-onnx.node.ts";
import faceLandmarks from "./faces/face-landmarks.node.ts";
import batchImagesNode from "./image/batch-images-node.node.ts";
import canny from "./image/canny.node.ts";
import fluxKontextImageScale from "./image/flux-kontext-image-scale.node.ts";
import getImageSize from "./image/get-image-size.node.ts";
import growMask from "./image/grow-mask.node.ts";
import imageBatch from "./image/image-batch.node.ts";
import imageBlur from "./image/image-blur.node.ts";
import imageCompare from "./image/image-compare.node.ts";
import imageCompositeMasked from "./image/image-composite-masked.node.ts";
import imageInvert from "./image/image-invert.node.ts";
import imagePadForOutpaint from "./image/image-pad-for-outpaint.node.ts";
import imageScale from "./image/image-scale.node.ts";
import imageScaleToMaxDimension from "./image/image-scale-to-max-dimension.node.ts";
import imageScaleToTotalPixels from "./image/image-scale-to-total-pixels.node.ts";
import imageStitch from "./image/image-stitch.node.ts";
import imageToMask from "./image/image-to-mask.node.ts";
import invertMask from "./image/invert-mask.node.ts";
import loadImage from "./image/load-image.node.ts";
import maskPreview from "./image/mask-preview.node.ts";
import maskToImage from "./image/mask-to-image.node.ts";
import previewImage from "./image/preview-image.node.ts";
import resizeImageMaskNode from "./image/resize-image-mask-node.node.ts";
import saveImage from "./image/save-image.node.ts";
import saveImageAdvanced from "./image/save-image-advanced.node.ts";
import loraFromFile from "./lora/lora-from-file.node.ts";
import loraLoader from "./lora/lora-loader.node.ts";
import loraLoaderModelOnly from "./lora/lora-loader-model-only.node.ts";
import saveLora from "./lora/save-lora.node.ts";
import drawMatches from "./matching/draw-matches.node.ts";
import faceSimilarity from "./matching/face-similarity.node.ts";
import hungarianMatch from "./matching/hungarian-match.node.ts";
import mimr from "./matching/mimr.node.ts";
import sir from "./matching/sir.node.ts";
import applyOnnx from "./onnx/apply-onnx.node.ts";
import loadOnnx from "./onnx/load-onnx.node.ts";
import onnxReward from "./onnx/onnx-reward.node.ts";
import checkpointLoaderSimple from "./qwen/checkpoint-loader-simple.node.ts";
import clipLoader from "./qwen/clip-loader.node.ts";
import qwenImageEditSampler from "./qwen/qwen-image-edit-sampler.node.ts";
import textEncodeQwenImageEdit from "./qwen/text-encode-qwen-image-edit.node.ts";
import textEncodeQwenImageEditDiffusers from "./qwen/text-encode-qwen-image-edit-diffusers.node.ts";
import textEncodeQwenImageEditPlus from "./qwen/text-encode-qwen-image-edit-plus.node.ts";
import unetLoader from "./qwen/unet-loader.node.ts";
import unetLoaderGguf from "./qwen/unet-loader-gguf.node.ts";
import vaeLoader from "./qwen/vae-loader.node.ts";
import measureRealism from "./realism/measure-realism.node.ts";
import preferenceDataset from "./realism/preference-dataset.node.ts";
import realVersusGenerated from "./realism/real-versus-generated.node.ts";
import realismBandsLoader from "./realism/realism-bands-loader.node.ts";
import realismPriors from "./realism/realism-priors.node.ts";
import realismReport from "./realism/realism-report.node.ts";
import realismReward from "./realism/realism-reward.node.ts";
import realismScorerLoader from "./realism/realism-scorer-loader.node.ts";
import capReward from "./rewards/cap-reward.node.ts";
import copyPasteReward from "./rewards/copy-paste-reward.node.ts";
import countReward from "./rewards/count-reward.node.ts";
import evaluateReward from "./rewards/evaluate-reward.node.ts";
import gateReward from "./rewards/gate-reward.node.ts";
import hingeReward from "./rewards/hinge-reward.node.ts";
import identityLoss from "./rewards/identity-loss.node.ts";
import layoutReward from "./rewards/layout-reward.node.ts";
import mimrReward from "./rewards/mimr-reward.node.ts";
import normalizeReward from "./rewards/normalize-reward.node.ts";
import scorePicture from "./rewards/score-picture.node.ts";
import sirReward from "./rewards/sir-reward.node.ts";
import weightedSumReward from "./rewards/weighted-sum-reward.node.ts";
import evaluateEdits from "./train/evaluate-edits.node.ts";
import pretrainTransformer from "./train/pretrain/pretrain-transformer.node.ts";
import pretrainVae from "./train/pretrain/pretrain-vae.node.ts";
import sampledPreferences from "./train/realism/sampled-preferences.node.ts";
import trainRealismReward from "./train/realism/train-realism-reward.node.ts";
import rewardBaseline from "./train/reward-baseline.node.ts";
import trainRerefl from "./train/train-rerefl.node.ts";

export const nodes: readonly AnyDeclaration[] = [
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
