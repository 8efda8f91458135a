/** The embedded encoder and detector, in `models/faces`. */
export const DLIB_FILE = "dlib128.safetensors";
export const BLAZEFACE_FILE = "blazeface.safetensors";
