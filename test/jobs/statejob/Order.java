package statejob;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A POJO as Flink's serializer knows it: fields of many kinds, another POJO, a subclass, and a class that only Kryo can write. */
public class Order {
    public long id;
    public String customer;
    public Size size;
    public double[] prices;
    public Address address;
    public List<String> tags;
    public Map<String, Integer> counts;
    public Opaque opaque;

    public Order() {}

    Order(long id) {
        this.id = id;
        customer = "customer " + id;
        size = Size.values()[(int) (id % 2)];
        prices = new double[] {id, 0.5};
        address = new Address();
        tags = new ArrayList<>(List.of("a", "b"));
        counts = new HashMap<>(Map.of("x", (int) id));
        opaque = new Opaque(id);
    }

    /** Constants of a state's value. */
    public enum Size { SMALL, LARGE }

    /** A POJO within. */
    public static class Address {
        public String street = "Main";
        public Integer number;
    }

    /** A subclass that the serializer meets while it writes. */
    public static class Express extends Order {
        public short hours = 4;

        public Express() {}

        Express(long id) {
            super(id);
        }
    }

    /** Not a POJO: no empty constructor, and a field that is not open. */
    public static final class Opaque {
        private final long number;

        Opaque(long number) {
            this.number = number;
        }

        @Override
        public String toString() {
            return "opaque " + number;
        }
    }
}
