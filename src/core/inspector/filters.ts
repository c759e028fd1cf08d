/** Filters of the operator table that are no search for a text: operators without a uid, and those whose uid gives another id. */
export const automaticFilter = "is:automatic";
export const otherIdFilter = "is:other-id";
