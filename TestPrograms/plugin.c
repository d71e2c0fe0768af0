/* libplugin.so: what forker dlopens. A function, a USDT probe, a global. */
#include <sys/sdt.h>

int plugin_calls;

__attribute__((noinline)) long plugin_work(long value) {
  plugin_calls++;
  STAP_PROBE2(plugin, work, value, plugin_calls);
  return value * 10;
}
