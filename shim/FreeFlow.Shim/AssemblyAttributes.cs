// Locals are not zeroed: every stackalloc in the data path is written before it is read.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
