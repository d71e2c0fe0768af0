/* Passes every kind of argument to the marks of shop.d; `shop N` sells N times. C and C++. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "shop.h"

struct order {
  int number;
  long sum;
};

enum kind { books = 3 };

static void __attribute__((noinline)) sell(int number, const char *customer) {
  struct order order = {number, number * 100L};
  char text[8] = "text";
  SHOP_ORDER_START(number, customer);
  if (SHOP_ORDER_DONE_ENABLED()) puts("traced");
  SHOP_ORDER_DONE((unsigned char)(number + 250), (short)-number, order.sum, &order, 1.5);
  /* The text's bytes must be in memory at the mark. */
  __asm__ __volatile__("" ::: "memory");
  SHOP_ORDER_FLAGS(books, number > 1, text);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  char customer[8];
  int i;
  sprintf(customer, "Ann");
  SHOP_OPEN();
  for (i = 1; i <= rounds; i++) sell(i, customer);
  SHOP_CLOSED();
  return 0;
}
