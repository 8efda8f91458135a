import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { App } from "./app.ts";

const AppContext = createContext<App | undefined>(undefined);
export const AppProvider = AppContext.Provider;

/** The page's state. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("components stand below AppProvider");
  return app;
}
