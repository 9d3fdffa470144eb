/* Wine before 9 has no bcryptprimitives.dll, from which Rust's standard library takes its random bytes.
   This one hands the request on to advapi32's older function. For the test under Wine; never shipped. */
#include <stddef.h>

/* RtlGenRandom's name in advapi32. Its length is 32 bits wide. */
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buffer, size_t length) {
    const size_t most = 0x10000000;
    while (length > 0) {
        unsigned long part = (unsigned long)(length < most ? length : most);
        if (!SystemFunction036(buffer, part)) return 0;
        buffer += part;
        length -= part;
    }
    return 1;
}
