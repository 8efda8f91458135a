import { socket } from "../../engine/node/socket.ts";
import type { RealismBands } from "./statistics/bands.ts";

export const REALISM_BANDS = socket<RealismBands>("REALISM_BANDS");
