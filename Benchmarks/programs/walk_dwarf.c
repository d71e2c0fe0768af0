/* walk_dwarf FILE: the names of the top-level entries of every unit by libdw, nothing kept. What a tool pays that reads
 * debug info without an index of its own. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv) {
  Dwarf *dwarf = argc == 2 ? dwarf_begin(open(argv[1], O_RDONLY), DWARF_C_READ) : NULL;
  if (!dwarf) {
    fprintf(stderr, "usage: walk_dwarf FILE\n");
    return 2;
  }
  unsigned long functions = 0;
  Dwarf_Off offset = 0, next;
  size_t header;
  while (dwarf_nextcu(dwarf, offset, &next, &header, NULL, NULL, NULL) == 0) {
    Dwarf_Die unit, die;
    if (dwarf_offdie(dwarf, offset + header, &unit) && dwarf_child(&unit, &die) == 0) {
      do {
        functions += dwarf_tag(&die) == DW_TAG_subprogram && dwarf_diename(&die) != NULL;
      } while (dwarf_siblingof(&die, &die) == 0);
    }
    offset = next;
  }
  printf("%lu\n", functions);
  return 0;
}
