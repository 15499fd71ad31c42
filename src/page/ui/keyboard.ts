export interface KeyActions {
  /** @param share of the width of the picture; negative: to the past */
  readonly pan: (share: number) => void;
  /** @param factor of the visible span */
  readonly zoom: (factor: number) => void;
  readonly moveCursor: (bars: number) => void;
  readonly goTo: (end: 'first' | 'last') => void;
  readonly goToGap: (direction: 1 | -1) => void;
  readonly askDate: () => void;
  readonly search: () => void;
  readonly help: () => void;
}

/** Keys of the page. Fields and buttons keep theirs. */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isForm(event.target)) return;
    const action = actionOf(event, actions);
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function actionOf({ key, shiftKey }: KeyboardEvent, actions: KeyActions): (() => void) | undefined {
  switch (key) {
    case 'ArrowLeft':
      return () => (shiftKey ? actions.moveCursor(-1) : actions.pan(-0.2));
    case 'ArrowRight':
      return () => (shiftKey ? actions.moveCursor(1) : actions.pan(0.2));
    case '+':
    case '=':
      return () => actions.zoom(1 / 1.3);
    case '-':
      return () => actions.zoom(1.3);
    case 'Home':
      return () => actions.goTo('first');
    case 'End':
      return () => actions.goTo('last');
    case 'g':
      return () => actions.goToGap(1);
    case 'G':
      return () => actions.goToGap(-1);
    case 'd':
      return actions.askDate;
    case '/':
      return actions.search;
    case '?':
      return actions.help;
    default:
      return undefined;
  }
}

function isForm(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, select, textarea, dialog[open], [popover]:popover-open') !== null
  );
}
