/* A provider as a program's author writes it: macros, a type, names with both kinds of separator. */
#define Money long
#pragma D attributes Evolving/Evolving/Common provider shop provider

struct order { int number; Money sum; };

provider shop {
  probe open();
  probe order__start(int number, const char *customer);
  probe order__done(unsigned char kind, short change, Money sum, struct order *what, double weight);
  probe order-flags(unsigned int, bool, char text[8]);
  probe closed(void);
};
