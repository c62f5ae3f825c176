// An empty translation unit: it keeps the library's object target valid whichever sources there are.
