// Every socket type of the built-in nodes. Data types hold numbers (data.ts); module types hold differentiable functions (modules.ts).
import { socket } from "../../../engine/node/socket.ts";
import type { Preferences } from "../realism/preferences.ts";
import type { RealismScorer } from "../realism/scorer-net.ts";
import type { Camera, Conditioning, Dataset, Embeddings, Faces, Image, Latent, Mask, Matches, Metrics, Similarity } from "./data.ts";
import type { NoiseSource, TextEncoder } from "./diffusion.ts";
import type { DiffusionModel, FaceDetector, FaceEncoder, Guider, Lora, Reward, Vae } from "./modules.ts";

export const IMAGE = socket<Image>("IMAGE");
export const MASK = socket<Mask>("MASK");
export const IMAGE_OR_MASK = socket<Image | Mask>("IMAGE,MASK");
export const LATENT = socket<Latent>("LATENT");
export const CONDITIONING = socket<Conditioning>("CONDITIONING");
export const FACES = socket<Faces>("FACES");
export const EMBEDDINGS = socket<Embeddings>("EMBEDDINGS");
export const SIMILARITY = socket<Similarity>("SIMILARITY");
export const MATCHES = socket<Matches>("MATCHES");
export const METRICS = socket<Metrics>("METRICS");
export const DATASET = socket<Dataset>("DATASET");
export const LORA = socket<Lora>("LORA");
export const INT = socket<number>("INT");
export const FLOAT = socket<number>("FLOAT");
export const STRING = socket<string>("STRING");
export const BOOLEAN = socket<boolean>("BOOLEAN");
export const ANY = socket<unknown>("*");

/** Where a camera stands, as ComfyUI's 3D nodes have it. */
export const LOAD3D_CAMERA = socket<Camera>("LOAD3D_CAMERA");

/** The name of a sampler. */
export const SAMPLER = socket<string>("SAMPLER");
/** Noise levels, descending. */
export const SIGMAS = socket<Float32Array>("SIGMAS");
export const NOISE = socket<NoiseSource>("NOISE");
export const GUIDER = socket<Guider>("GUIDER");

export const MODEL = socket<DiffusionModel>("MODEL");
export const VAE = socket<Vae>("VAE");
export const CLIP = socket<TextEncoder>("CLIP");
export const FACE_DETECTOR = socket<FaceDetector>("FACE_DETECTOR");
export const FACE_ENCODER = socket<FaceEncoder>("FACE_ENCODER");
export const REWARD = socket<Reward>("REWARD");
export const PREFERENCES = socket<Preferences>("PREFERENCES");
export const REALISM_SCORER = socket<RealismScorer>("REALISM_SCORER");
