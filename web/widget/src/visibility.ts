const parkAfterMs = 60_000;

/**
 * Calls `park` when nobody has seen the page for a minute, and `unpark` when it is seen again. Browsers allow six
 * connections to a host over HTTP/1.1: a visitor with many tabs would otherwise block the gateway for all of them.
 */
export function whileHidden(park: () => boolean, unpark: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isParked = false;
  const tryPark = () => {
    isParked = park();
    if (!isParked) timer = setTimeout(tryPark, parkAfterMs);
  };
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(tryPark, parkAfterMs);
    else if (isParked) {
      isParked = false;
      unpark();
    }
  });
}
