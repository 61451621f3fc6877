import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const atEndWithinPx = 48;

/**
 * Keeps the end of the list in sight while it grows, unless the visitor has scrolled away; and keeps the place when
 * earlier messages come in above.
 */
export function useScrollPosition(
  list: RefObject<HTMLElement | null>,
  firstKey: string | undefined,
  ownCount: number,
) {
  const [isAtEnd, setAtEnd] = useState(true);
  const followsEnd = useRef(true);
  const last = useRef({ firstKey, ownCount, height: 0 });

  const toEnd = () => {
    followsEnd.current = true;
    setAtEnd(true);
    list.current?.scrollTo({ top: list.current.scrollHeight });
  };
  const onScroll = () => {
    const element = list.current;
    if (!element) return;
    followsEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < atEndWithinPx;
    setAtEnd(followsEnd.current);
  };

  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const { firstKey: oldFirstKey, ownCount: oldOwnCount, height } = last.current;
    last.current = { firstKey, ownCount, height: element.scrollHeight };
    // What the visitor has just sent must be seen, wherever the list stood.
    if (followsEnd.current || ownCount > oldOwnCount) toEnd();
    else if (firstKey !== oldFirstKey) element.scrollTop += element.scrollHeight - height;
  });

  useEffect(() => {
    const element = list.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (followsEnd.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [list]);

  return { isAtEnd, toEnd, onScroll };
}
