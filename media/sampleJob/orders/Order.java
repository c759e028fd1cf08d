package orders;

/** One order. */
public class Order {
    public long number;
    public String customer = "";
    public String product = "";
    public int quantity;
    public long cents;
}
