/** A filter of the operator table that is no search for a text: operators with state and without a uid. */
export const automaticFilter = "is:automatic";

/** Another one: operators whose uid gives another id than theirs. */
export const otherIdFilter = "is:other-id";
