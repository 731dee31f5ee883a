// Comparing runs: keys, sections that fold, the box that finds runs to add, the slider over pictures.
import { listenForAdding } from "./compare/adding";
import { listenForFolding } from "./compare/folding";
import { listenForPictures } from "./compare/pictures";
import { listenForSteps } from "./compare/steps";
import { listenForUndoing } from "./compare/undoing";

listenForSteps();
listenForFolding();
listenForAdding();
listenForPictures();
listenForUndoing();

// A choice that is sent at once, without its button.
document.addEventListener("change", (event) => {
  const form = (event.target as Element).closest<HTMLFormElement>("form[data-at-once]");
  form?.requestSubmit();
});
