// Two functions of the runtimes that every Swift program is linked with; neither has a C header.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Itanium C++ ABI, section 3.4; libstdc++.
char *__cxa_demangle(const char *mangled, char *output, size_t *byte_count, int *status);

// swift/Demangling/Demangle.h of the Swift runtime; the result is malloc'ed when `output` is null.
char *swift_demangle(const char *mangled, size_t byte_count, char *output, size_t *output_byte_count, uint32_t flags);
