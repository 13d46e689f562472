// Rules for text that people read, after Unicode Technical Standard #39 (confusable and invisible characters) and Annex
// #9 (bidirectional text).

/** Anything but spaces, controls, formats, marks without a letter, fillers such as U+3164, and the empty Braille cell. */
const VISIBLE =
  /[^\p{White_Space}\p{Cc}\p{Cf}\p{Cs}\p{M}\p{Default_Ignorable_Code_Point}\u{2800}]/u;

/** Embeddings, overrides and isolates, which change the order of the text around them, and line separators. */
const REORDERS = /[\u{202a}-\u{202e}\u{2066}-\u{2069}\u{2028}\u{2029}]/u;

/** Direction marks are among them. U+FFF9 to U+FFFB hide an annotation. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]/u;

/**
 * Joiners, variation selectors and the tags of flags, where emoji or a script other than Latin, Greek and Cyrillic need
 * them, and digits in a keycap. After a Latin letter they would only make a second spelling of the same name.
 */
const IN_PLACE = new RegExp(
  [
    String.raw`(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}]|`,
    String.raw`(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\u{300}-\u{36f}])[\p{L}\p{M}])`,
    String.raw`[\u{200c}\u{200d}\u{180b}-\u{180d}\u{180f}\u{fe00}-\u{fe0f}\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}]+`,
    String.raw`|[\d#*]\u{fe0f}\u{20e3}`,
  ].join(""),
  "gu",
);

/** Whether a reader sees anything of the text. */
export const isVisible = (text: string): boolean => VISIBLE.test(text);

/** Whether a character reorders or breaks the line in which the text is shown. */
export const reordersLine = (text: string): boolean => REORDERS.test(text);

/**
 * Whether the text has an invisible character that it does not need, so that another text could look the same. Emoji
 * sequences, and the joiners and variants of Arabic, Indic and East Asian scripts, are needed.
 */
export const hidesCharacters = (text: string): boolean =>
  INVISIBLE.test(text.replaceAll(IN_PLACE, ""));
