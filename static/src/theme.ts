// Runs in the head, before the first paint: settles the theme "auto" and says that scripts run.
const root = document.documentElement;
root.dataset.scripts = "on";
if (root.dataset.theme === "auto") {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const settle = (): void => {
    root.dataset.bsTheme = dark.matches ? "dark" : "light";
    dispatchEvent(new CustomEvent("mled:theme"));
  };
  settle();
  dark.addEventListener("change", settle);
}
addEventListener("beforeprint", () => {
  root.dataset.screenTheme = root.dataset.bsTheme ?? "light";
  root.dataset.bsTheme = "light";
});
addEventListener("afterprint", () => {
  root.dataset.bsTheme = root.dataset.screenTheme ?? "light";
});

export {};
